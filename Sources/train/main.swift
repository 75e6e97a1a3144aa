import KernelCatalog
import Kernels
import Terminal

let syntax = CommandSyntax(
    "train",
    summary:
        "Trains a GPT-2 on text. Without flags: a small model on the project's own sources, for about a minute.",
    flags: [
        Flag("--text", "PATH ...", .many, help: "Files and folders of text to learn from."),
        Flag("--data", "FILE ...", .many, help: "Token shards of llm.c to learn from, instead of a text."),
        Flag("--validation", "PATH", help: "A text or shard for the validation loss; the last tenth if not given."),
        Flag(
            "--tokenizer", "PATH",
            help:
                "The vocabulary: bytes (built in, the default), vocab.bpe, merges.txt, tokenizer.json, gpt2_tokenizer.bin, or a folder with one of them."
        ),
        Flag(
            "--model", "MODEL",
            help:
                "A new model: mini (the default), tiny, 124M, 355M, 774M, 1558M; or one to go on from: a checkpoint, a gpt2_*.bin of llm.c, or a folder of Hugging Face's."
        ),
        Flag("--layers", "N", help: "Layers of a new model, instead of its own number."),
        Flag("--heads", "N", help: "Its heads."),
        Flag("--channels", "N", help: "Its channels."),
        Flag("--block-size", "N", help: "Its longest sequence."),
        Flag("--resume", "FILE", help: "Go on with the run of a checkpoint, with its settings and text."),
        Flag("--checkpoint", "FILE", help: "Where the run is saved; checkpoints/train.h5 or the next free name."),
        Flag("--overwrite", help: "Replace the checkpoint of another run."),
        Flag(
            "--export", "PATH",
            help:
                "At the end, also write the model for others: FILE.bin for llm.c (FILE.bf16.bin in bfloat16), a folder for Hugging Face. With --steps 0, convert a model."
        ),
        Flag("--write-data", "FILE.bin", help: "Only write the tokens of the text as a shard of llm.c, and exit."),
        Flag("--steps", "N", help: "Steps of the optimizer."),
        Flag("--batch", "B", help: "Sequences of a batch."),
        Flag("--sequence", "T", help: "Tokens of a sequence; at most the block size."),
        Flag("--accumulate", "N", help: "Batches whose mean gradient makes a step; 1 if not given."),
        Flag("--learning-rate", "X", help: "The highest learning rate."),
        Flag("--final-rate", "X", help: "What the cosine falls to; a tenth of the highest if not given."),
        Flag("--warmup", "N", help: "Steps of linear warm-up; a twentieth of all if not given."),
        Flag("--weight-decay", "X", help: "Decay of matrices and embeddings; 0.1 if not given."),
        Flag("--beta1", "X", help: "Decay of AdamW's first moment; 0.9 if not given."),
        Flag("--beta2", "X", help: "Decay of AdamW's second moment; 0.95 if not given."),
        Flag("--clip", "X", help: "The largest norm of the gradient; 1 if not given, 0 for no limit."),
        Flag("--no-shuffle", help: "Take the text from front to back."),
        Flag("--seed", "N", help: "Where parameters, order and samples begin; 1 if not given."),
        Flag("--validate-every", "N", help: "Steps between two validation losses; a tenth of all if not given."),
        Flag("--sample-every", "N", help: "Steps between two samples; 0 for none."),
        Flag("--save-every", "N", help: "Steps between two saves."),
        Flag("--kernels", "SET", help: "The kernels: fast (the default), reference, or a list."),
        Flag("--threads", "N", help: "Threads for the kernels; all cores if not given."),
        Flag("--report", "DIR", help: "Where train.md, train.json and train.svg go; reports if not given."),
    ],
    examples: [
        ("train", "A small model on the project's own sources."),
        ("train --text books --steps 5000", "A small model on all texts of a folder."),
        ("train --model 124M --tokenizer gpt2 --data a.bin b.bin --accumulate 8", "GPT-2 on shards made for llm.c."),
        ("train --resume checkpoints/train.h5", "Go on where a run was stopped; the bits are those of one run."),
    ],
    exitCodes:
        "0 all steps made, 2 unusable input or flags, or training cannot go on, 130 stopped by Ctrl-C and saved, 143 by kill, 129 by a closing terminal."
)

Terminal.run("train") { words in
    let arguments = try syntax.parse(words)
    let kernels = try KernelCatalog.standard.set(
        named: arguments.value("--kernels") ?? "fast",
        workers: Workers(count: try arguments.threads(upTo: Workers.most)))
    if let path = arguments.value("--write-data") { return try writeShard(arguments, to: path) }
    if arguments.has("--resume") { return try resume(arguments, words, kernels) }
    return try begin(arguments, words, kernels)
}
