import Platform

extension TrainingReport {
    /// The report as Markdown; the loss curve lies beside it, as `train.svg` and, for dark pages, `train-dark.svg`.
    public var markdown: String {
        let rows = validations.map { validation in
            let step = steps.first { $0.step == validation.step }
            return [
                Formatting.count(validation.step), step.map { Formatting.number($0.loss) } ?? "–",
                Formatting.number(validation.loss), step.map { Formatting.number($0.gradientNorm) } ?? "–",
                step.map { Formatting.number($0.learningRate) } ?? "–",
            ]
        }
        let texts = samples.map { sample in
            let fence = sample.text.contains("```") ? "~~~~" : "```"
            return "After \(Formatting.count(sample.step)) steps:\n\n\(fence)text\n\(sample.text)\n\(fence)"
        }
        return """
            # Training

            **\(headline)**

            <picture>
            <source media="(prefers-color-scheme: dark)" srcset="train-dark.svg">
            <img src="train.svg" alt="Loss by step">
            </picture>

            \(Formatting.markdown(["setting", "value"], settings.map { [$0.name, $0.value] }))

            ## Loss

            \(Formatting.markdown(
                ["step", "loss", "validation", "gradient norm", "learning rate"], rows, right: [0, 1, 2, 3, 4]))

            Loss and gradient norm are those of the step's own tokens, before its update; validation is measured after \
            it. Every step is in `train.json`.

            ## Samples

            \(texts.isEmpty ? "None in this part of the run." : texts.joined(separator: "\n\n"))

            ## Run

            \(runLines.joined(separator: "\n"))
            - Checkpoint: `\(checkpoint)`
            - Time: \(Formatting.seconds(seconds)), \(Formatting.count(Int(tokensPerSecond))) tokens/s (median step), \
            \(Formatting.count(peakMemory >> 20)) MiB at most

            """
    }
}
