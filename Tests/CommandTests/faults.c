// Kernels that are right at the sizes of fixtures and wrong at those of models: the example's, each with faults of its own,
// which the environment names in FAULTS, one after the other between commas.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define encoder_forward right_encoder_forward
#define encoder_backward right_encoder_backward
#define layernorm_forward right_layernorm_forward
#define layernorm_backward right_layernorm_backward
#define matmul_forward right_matmul_forward
#define matmul_backward right_matmul_backward
#define attention_forward right_attention_forward
#define attention_backward right_attention_backward
#define gelu_forward right_gelu_forward
#define gelu_backward right_gelu_backward
#define residual_forward right_residual_forward
#define residual_backward right_residual_backward
#define softmax_forward right_softmax_forward
#define adamw_update right_adamw_update
#define classifier_forward right_classifier_forward
#include "kernels.c"
#undef encoder_forward
#undef encoder_backward
#undef layernorm_forward
#undef layernorm_backward
#undef matmul_forward
#undef matmul_backward
#undef attention_forward
#undef attention_backward
#undef gelu_forward
#undef gelu_backward
#undef residual_forward
#undef residual_backward
#undef softmax_forward
#undef adamw_update
#undef classifier_forward

// Whether the fault is asked for.
static int has(const char *name) {
    const char *faults = getenv("FAULTS");
    size_t length = strlen(name);
    for (const char *at = faults; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == 0)) return 1;
    }
    return 0;
}

// The number with the 11 significant bits of TensorFloat-32.
static float tensor_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x1000) & 0xffffe000;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

// A copy of numbers in that precision.
static float *rounded(const float *x, index count) {
    float *copy = malloc(count * sizeof *copy);
    for (index i = 0; i < count; i++) copy[i] = tensor_float(x[i]);
    return copy;
}

static int smaller(int a, int b) { return a < b ? a : b; }

EXPORT void encoder_forward(float *out, const int *inp, const float *wte, const float *wpe, int B, int T, int C) {
    int mask = has("token-in-8-bits") ? 0xff : has("token-in-15-bits") ? 0x7fff : ~0;
    int *tokens = malloc((index)B * T * sizeof *tokens);
    for (index row = 0; row < (index)B * T; row++) tokens[row] = inp[row] & mask;
    right_encoder_forward(out, tokens, wte, wpe, B, T, C);
    free(tokens);
}

EXPORT void encoder_backward(float *dwte, float *dwpe, const float *dout, const int *inp, int B, int T, int C) {
    right_encoder_backward(dwte, dwpe, dout, inp, has("batch-after-16") ? smaller(B, 16) : B, T, C);
}

EXPORT void layernorm_forward(float *out, float *mean, float *rstd, const float *inp, const float *weight,
                              const float *bias, int B, int T, int C) {
    right_layernorm_forward(out, mean, rstd, inp, weight, bias, B, T, C);
    if (has("last-channel") && C == 768)
        for (index row = 0; row < (index)B * T; row++) out[row * C + C - 1] = bias[C - 1];
}

EXPORT void layernorm_backward(float *dinp, float *dweight, float *dbias, const float *dout, const float *inp,
                               const float *weight, const float *mean, const float *rstd, int B, int T, int C) {
    right_layernorm_backward(dinp, dweight, dbias, dout, inp, weight, mean, rstd, B,
                             has("row-after-1024") && B == 1 ? smaller(T, 1024) : T, C);
}

EXPORT void matmul_forward(float *out, const float *inp, const float *weight, const float *bias, int B, int T, int C,
                           int OC) {
    index rows = (index)B * T;
    if (has("tensor-float") && C == 3072) {
        float *a = rounded(inp, rows * C), *b = rounded(weight, (index)OC * C);
        right_matmul_forward(out, a, b, bias, B, T, C, OC);
        free(a);
        free(b);
        return;
    }
    right_matmul_forward(out, inp, weight, bias, B, T, C, OC);
    int terms = has("terms-after-1024") ? smaller(C, 1024)
                : has("last-term") && C > 64 && C % 64 == 1 ? C - 1 : C;
    for (index row = 0; terms < C && row < rows; row++)
        for (index o = 0; o < OC; o++)
            out[row * OC + o] = (bias ? bias[o] : 0) + dot(inp + row * C, weight + o * C, terms);
    float factor = has("tile-1e-2") ? 1.01f : has("tile-1e-4") ? 1.0001f : 1;
    for (index row = 21; factor != 1 && OC >= 768 && rows >= 64 && row < 33; row++)
        for (index o = 300; o < 332; o++) out[row * OC + o] *= factor;
}

EXPORT void matmul_backward(float *dinp, float *dweight, float *dbias, const float *dout, const float *inp,
                            const float *weight, int B, int T, int C, int OC) {
    right_matmul_backward(dinp, dweight, dbias, dout, inp, weight, B,
                          has("last-row") && B == 1 && T > 64 && T % 64 == 1 ? T - 1 : T, C, OC);
}

EXPORT void attention_forward(float *out, float *preatt, float *att, const float *inp, int B, int T, int C, int NH) {
    right_attention_forward(out, preatt, att, inp, B, T, C, NH);
    index hs = C / NH;
    if (has("head-11") && NH == 12)
        for (index row = 0; row < (index)B * T; row++) memcpy(out + row * C + 11 * hs, out + row * C, hs * sizeof *out);
    // Without the first key, the others' probabilities are to be larger.
    if (has("row-1023") && T > 1023)
        for (index b = 0; b < B; b++)
            for (index h = 0; h < NH; h++) {
                float first = att[((b * NH + h) * T + 1023) * T];
                const float *value = inp + b * T * 3 * C + 2 * C + h * hs;
                float *row = out + (b * T + 1023) * C + h * hs;
                for (index i = 0; i < hs; i++) row[i] = (row[i] - first * value[i]) / (1 - first);
            }
}

EXPORT void attention_backward(float *dinp, float *dpreatt, float *datt, const float *dout, const float *inp,
                               const float *att, int B, int T, int C, int NH) {
    right_attention_backward(dinp, dpreatt, datt, dout, inp, att, has("batch-after-8") ? smaller(B, 8) : B, T, C, NH);
}

EXPORT void gelu_forward(float *out, const float *inp, int N) {
    int most = has("after-100000") ? smaller(N, 100000) : N;
    right_gelu_forward(out, inp, most);
    for (index i = most; i < N; i++) out[i] = 0;
    if (has("last-of-block") && N > 256 && N % 16 == 1) out[N - 1] = out[N - 2];
}

EXPORT void gelu_backward(float *dinp, const float *inp, const float *dout, int N) {
    right_gelu_backward(dinp, inp, dout, has("partial-vector") && N >= 1024 ? N / 16 * 16 : N);
}

EXPORT void residual_forward(float *out, const float *inp1, const float *inp2, int N) {
    right_residual_forward(out, inp1, inp2, N);
    int most = has("index-in-15-bits") ? 0x8000 : N;
    for (index i = most; i < N; i++) {
        out[i & 0x7fff] = out[i];
        out[i] = 0;
    }
}

EXPORT void residual_backward(float *dinp1, float *dinp2, const float *dout, int N) {
    right_residual_backward(dinp1, dinp2, dout, has("index-in-16-bits") ? (uint16_t)N : N);
}

EXPORT void softmax_forward(float *probs, const float *logits, int B, int T, int V, int Vp) {
    right_softmax_forward(probs, logits, B, T, V, Vp);
    // What an exp makes that is right to 2e-6, too much here and too little there.
    for (index i = 0; has("inexact-exp") && i < (index)B * T * Vp; i++) probs[i] *= i % 2 ? 1 + 2e-6f : 1 - 2e-6f;
    int zeroes = has("column-50256") && V > 50256, forgets = has("not-rescaled") && V > 1024;
    for (index row = 0; row < (index)B * T; row++) {
        const float *x = logits + row * Vp;
        if (zeroes) probs[row * Vp + 50256] = 0;
        if (!forgets) continue;
        // Online, in blocks of 64: what was summed before is not rescaled when the maximum grows.
        float most = -INFINITY, sum = 0;
        for (int block = 0; block < V; block += 64) {
            int end = smaller(block + 64, V);
            for (int v = block; v < end; v++) most = x[v] > most ? x[v] : most;
            for (int v = block; v < end; v++) sum += expf(x[v] - most);
        }
        for (int v = 0; v < V; v++) probs[row * Vp + v] = expf(x[v] - most) / sum;
    }
}

EXPORT void adamw_update(float *params, float *m, float *v, const float *grads, float learning_rate, float beta1,
                         float beta2, float eps, float weight_decay, int t, int N) {
    right_adamw_update(params, m, v, grads, learning_rate, beta1, beta2, eps, weight_decay, t,
                       has("after-65536") ? smaller(N, 65536) : N);
}

EXPORT void classifier_forward(float *losses, float *lse, const float *logits, const int *targets, int B, int T, int V,
                               int Vp) {
    int *kept = malloc((index)B * T * sizeof *kept);
    int mask = has("target-in-10-bits") ? 0x3ff : ~0;
    for (index row = 0; row < (index)B * T; row++) kept[row] = targets[row] & mask;
    right_classifier_forward(losses, lse, logits, kept, B, T, V, Vp);
    free(kept);
}
