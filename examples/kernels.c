// Every kernel of the ABI in plain C, one loop for each sum: a place to start from.
//
//     cc -O2 -shared -fPIC -I include examples/kernels.c -o libkernels.so -lm
//     swift run verify --kernels ./libkernels.so
#include "plumbline_kernels.h"

#include <math.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

// Indices of whole models do not fit an int.
typedef ptrdiff_t index;

static float dot(const float *a, const float *b, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

EXPORT void encoder_forward(float *out, const int *inp, const float *wte, const float *wpe, int B, int T, int C) {
    for (index row = 0; row < (index)B * T; row++) {
        const float *token = wte + (index)inp[row] * C, *position = wpe + row % T * C;
        for (int c = 0; c < C; c++) out[row * C + c] = token[c] + position[c];
    }
}

EXPORT void encoder_backward(float *dwte, float *dwpe, const float *dout, const int *inp, int B, int T, int C) {
    for (index row = 0; row < (index)B * T; row++) {
        float *dtoken = dwte + (index)inp[row] * C, *dposition = dwpe + row % T * C;
        for (int c = 0; c < C; c++) {
            dtoken[c] += dout[row * C + c];
            dposition[c] += dout[row * C + c];
        }
    }
}

EXPORT void layernorm_forward(float *out, float *mean, float *rstd, const float *inp, const float *weight,
                              const float *bias, int B, int T, int C) {
    for (index row = 0; row < (index)B * T; row++) {
        const float *x = inp + row * C;
        float m = 0, v = 0;
        for (int c = 0; c < C; c++) m += x[c];
        m /= (float)C;
        for (int c = 0; c < C; c++) v += (x[c] - m) * (x[c] - m);
        float s = 1 / sqrtf(v / (float)C + 1e-5f);
        for (int c = 0; c < C; c++) out[row * C + c] = (x[c] - m) * s * weight[c] + bias[c];
        mean[row] = m;
        rstd[row] = s;
    }
}

EXPORT void layernorm_backward(float *dinp, float *dweight, float *dbias, const float *dout, const float *inp,
                               const float *weight, const float *mean, const float *rstd, int B, int T, int C) {
    for (index row = 0; row < (index)B * T; row++) {
        const float *x = inp + row * C, *dy = dout + row * C;
        float mean_g = 0, mean_gn = 0;
        for (int c = 0; c < C; c++) {
            float g = dy[c] * weight[c];
            mean_g += g;
            mean_gn += g * ((x[c] - mean[row]) * rstd[row]);
        }
        mean_g /= (float)C;
        mean_gn /= (float)C;
        for (int c = 0; c < C; c++) {
            float n = (x[c] - mean[row]) * rstd[row];
            dbias[c] += dy[c];
            dweight[c] += dy[c] * n;
            dinp[row * C + c] += rstd[row] * (dy[c] * weight[c] - mean_g - n * mean_gn);
        }
    }
}

EXPORT void matmul_forward(float *out, const float *inp, const float *weight, const float *bias, int B, int T, int C,
                           int OC) {
    for (index row = 0; row < (index)B * T; row++) {
        for (index o = 0; o < OC; o++) {
            float sum = bias ? bias[o] : 0;
            for (index c = 0; c < C; c++) sum += inp[row * C + c] * weight[o * C + c];
            out[row * OC + o] = sum;
        }
    }
}

EXPORT void matmul_backward(float *dinp, float *dweight, float *dbias, const float *dout, const float *inp,
                            const float *weight, int B, int T, int C, int OC) {
    for (index row = 0; row < (index)B * T; row++) {
        for (index o = 0; o < OC; o++) {
            float d = dout[row * OC + o];
            if (dbias) dbias[o] += d;
            for (index c = 0; c < C; c++) {
                dinp[row * C + c] += d * weight[o * C + c];
                dweight[o * C + c] += d * inp[row * C + c];
            }
        }
    }
}

EXPORT void attention_forward(float *out, float *preatt, float *att, const float *inp, int B, int T, int C, int NH) {
    int hs = C / NH;
    float scale = 1 / sqrtf((float)hs);
    for (index b = 0; b < B; b++) {
        for (index h = 0; h < NH; h++) {
            const float *q = inp + b * T * 3 * C + h * hs, *k = q + C, *v = k + C;
            for (index t = 0; t < T; t++) {
                float *pre = preatt + ((b * NH + h) * T + t) * T, *a = att + ((b * NH + h) * T + t) * T;
                float *o = out + (b * T + t) * C + h * hs;
                float max = -INFINITY, sum = 0;
                for (index t2 = 0; t2 <= t; t2++) {
                    pre[t2] = dot(q + t * 3 * C, k + t2 * 3 * C, hs) * scale;
                    max = fmaxf(max, pre[t2]);
                }
                for (index t2 = 0; t2 <= t; t2++) sum += a[t2] = expf(pre[t2] - max);
                for (index t2 = 0; t2 < T; t2++) a[t2] = t2 <= t ? a[t2] / sum : 0;
                for (int i = 0; i < hs; i++) o[i] = 0;
                for (index t2 = 0; t2 <= t; t2++) {
                    for (int i = 0; i < hs; i++) o[i] += a[t2] * v[t2 * 3 * C + i];
                }
            }
        }
    }
}

EXPORT void attention_backward(float *dinp, float *dpreatt, float *datt, const float *dout, const float *inp,
                               const float *att, int B, int T, int C, int NH) {
    int hs = C / NH;
    float scale = 1 / sqrtf((float)hs);
    for (index b = 0; b < B; b++) {
        for (index h = 0; h < NH; h++) {
            index head = b * T * 3 * C + h * hs;
            const float *q = inp + head, *k = q + C, *v = k + C;
            float *dq = dinp + head, *dk = dq + C, *dv = dk + C;
            for (index t = 0; t < T; t++) {
                index row = ((b * NH + h) * T + t) * T;
                const float *a = att + row, *d = dout + (b * T + t) * C + h * hs;
                float *da = datt + row, *dpre = dpreatt + row;
                float sum = 0;
                for (index t2 = 0; t2 <= t; t2++) {
                    for (int i = 0; i < hs; i++) {
                        da[t2] += v[t2 * 3 * C + i] * d[i];
                        dv[t2 * 3 * C + i] += a[t2] * d[i];
                    }
                    sum += a[t2] * da[t2];
                }
                for (index t2 = 0; t2 <= t; t2++) {
                    dpre[t2] += a[t2] * (da[t2] - sum);
                    for (int i = 0; i < hs; i++) {
                        dq[t * 3 * C + i] += dpre[t2] * scale * k[t2 * 3 * C + i];
                        dk[t2 * 3 * C + i] += dpre[t2] * scale * q[t * 3 * C + i];
                    }
                }
            }
        }
    }
}

// tanh's argument
static float gelu_inner(float x) { return 0.7978845608028654f * (x + 0.044715f * x * x * x); }

EXPORT void gelu_forward(float *out, const float *inp, int N) {
    for (index i = 0; i < N; i++) out[i] = 0.5f * inp[i] * (1 + tanhf(gelu_inner(inp[i])));
}

EXPORT void gelu_backward(float *dinp, const float *inp, const float *dout, int N) {
    for (index i = 0; i < N; i++) {
        float x = inp[i], tanh_ = tanhf(gelu_inner(x)), cosh_ = coshf(gelu_inner(x));
        float slope = 0.7978845608028654f * (1 + 3 * 0.044715f * x * x);
        dinp[i] += dout[i] * (0.5f * (1 + tanh_) + 0.5f * x * slope / (cosh_ * cosh_));
    }
}

EXPORT void residual_forward(float *out, const float *inp1, const float *inp2, int N) {
    for (index i = 0; i < N; i++) out[i] = inp1[i] + inp2[i];
}

EXPORT void residual_backward(float *dinp1, float *dinp2, const float *dout, int N) {
    for (index i = 0; i < N; i++) {
        dinp1[i] += dout[i];
        dinp2[i] += dout[i];
    }
}

EXPORT void softmax_forward(float *probs, const float *logits, int B, int T, int V, int Vp) {
    for (index row = 0; row < (index)B * T; row++) {
        const float *x = logits + row * Vp;
        float *p = probs + row * Vp;
        float max = -INFINITY, sum = 0;
        for (int v = 0; v < V; v++) max = fmaxf(max, x[v]);
        for (int v = 0; v < V; v++) sum += p[v] = expf(x[v] - max);
        for (int v = 0; v < Vp; v++) p[v] = v < V ? p[v] / sum : 0;
    }
}

EXPORT void crossentropy_forward(float *losses, const float *probs, const int *targets, int B, int T, int Vp) {
    for (index row = 0; row < (index)B * T; row++) losses[row] = -logf(probs[row * Vp + targets[row]]);
}

EXPORT void crossentropy_softmax_backward(float *dlogits, const float *dlosses, const float *probs,
                                          const int *targets, int B, int T, int V, int Vp) {
    for (index row = 0; row < (index)B * T; row++) {
        for (int v = 0; v < V; v++) {
            float expected = v == targets[row] ? 1.0f : 0.0f;
            dlogits[row * Vp + v] += (probs[row * Vp + v] - expected) * dlosses[row];
        }
    }
}

EXPORT void adamw_update(float *params, float *m, float *v, const float *grads, float learning_rate, float beta1,
                         float beta2, float eps, float weight_decay, int t, int N) {
    float correction1 = 1 - powf(beta1, (float)t), correction2 = 1 - powf(beta2, (float)t);
    for (index i = 0; i < N; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * grads[i];
        v[i] = beta2 * v[i] + (1 - beta2) * grads[i] * grads[i];
        float step = m[i] / correction1 / (sqrtf(v[i] / correction2) + eps);
        params[i] -= learning_rate * (step + weight_decay * params[i]);
    }
}

// out = softmax of q * keys / sqrt(hs) * values, over n rows that lie a stride apart; returns the logarithm of the sum
static float attend(float *out, const float *q, const float *keys, const float *values, index n, index stride, int hs) {
    float scale = 1 / sqrtf((float)hs), max = -INFINITY, sum = 0;
    for (index s = 0; s < n; s++) max = fmaxf(max, scale * dot(q, keys + s * stride, hs));
    for (int i = 0; i < hs; i++) out[i] = 0;
    for (index s = 0; s < n; s++) {
        float p = expf(scale * dot(q, keys + s * stride, hs) - max);
        sum += p;
        for (int i = 0; i < hs; i++) out[i] += p * values[s * stride + i];
    }
    for (int i = 0; i < hs; i++) out[i] /= sum;
    return max + logf(sum);
}

EXPORT void flash_attention_forward(float *out, float *lse, const float *inp, int B, int T, int C, int NH) {
    int hs = C / NH;
    index stride = 3 * (index)C;
    for (index b = 0; b < B; b++) {
        for (index h = 0; h < NH; h++) {
            const float *q = inp + b * T * stride + h * hs, *k = q + C, *v = k + C;
            for (index t = 0; t < T; t++) {
                float *o = out + (b * T + t) * C + h * hs;
                lse[(b * NH + h) * T + t] = attend(o, q + t * stride, k, v, t + 1, stride, hs);
            }
        }
    }
}

EXPORT void flash_attention_backward(float *dinp, const float *dout, const float *inp, const float *out,
                                     const float *lse, int B, int T, int C, int NH) {
    int hs = C / NH;
    float scale = 1 / sqrtf((float)hs);
    for (index b = 0; b < B; b++) {
        for (index h = 0; h < NH; h++) {
            index head = b * T * 3 * C + h * hs;
            const float *q = inp + head, *k = q + C, *v = k + C;
            float *dq = dinp + head, *dk = dq + C, *dv = dk + C;
            for (index t = 0; t < T; t++) {
                const float *d = dout + (b * T + t) * C + h * hs;
                float sum = dot(d, out + (b * T + t) * C + h * hs, hs);
                for (index t2 = 0; t2 <= t; t2++) {
                    index row = t * 3 * C, row2 = t2 * 3 * C;
                    float att = expf(scale * dot(q + row, k + row2, hs) - lse[(b * NH + h) * T + t]);
                    float ds = scale * att * (dot(d, v + row2, hs) - sum);
                    for (int i = 0; i < hs; i++) {
                        dq[row + i] += ds * k[row2 + i];
                        dk[row2 + i] += ds * q[row + i];
                        dv[row2 + i] += att * d[i];
                    }
                }
            }
        }
    }
}

EXPORT void classifier_forward(float *losses, float *lse, const float *logits, const int *targets, int B, int T, int V,
                               int Vp) {
    for (index row = 0; row < (index)B * T; row++) {
        const float *x = logits + row * Vp;
        float max = -INFINITY, sum = 0;
        for (int v = 0; v < V; v++) max = fmaxf(max, x[v]);
        for (int v = 0; v < V; v++) sum += expf(x[v] - max);
        lse[row] = max + logf(sum);
        losses[row] = lse[row] - x[targets[row]];
    }
}

EXPORT void classifier_backward(float *dlogits, const float *dlosses, const float *logits, const float *lse,
                                const int *targets, int B, int T, int V, int Vp) {
    for (index row = 0; row < (index)B * T; row++) {
        const float *x = logits + row * Vp;
        for (int v = 0; v < Vp; v++) {
            float expected = v == targets[row] ? 1.0f : 0.0f;
            dlogits[row * Vp + v] = v < V ? (expf(x[v] - lse[row]) - expected) * dlosses[row] : 0;
        }
    }
}

EXPORT void cached_attention_forward(float *out, float *key_cache, float *value_cache, const float *inp, int B, int T,
                                     int S, int P, int C, int NH) {
    int hs = C / NH;
    for (index b = 0; b < B; b++) {
        for (index h = 0; h < NH; h++) {
            float *keys = key_cache + b * P * C + h * hs, *values = value_cache + b * P * C + h * hs;
            for (index t = 0; t < T; t++) {
                const float *q = inp + (b * T + t) * 3 * C + h * hs, *k = q + C, *v = k + C;
                for (int i = 0; i < hs; i++) {
                    keys[(S + t) * C + i] = k[i];
                    values[(S + t) * C + i] = v[i];
                }
                attend(out + (b * T + t) * C + h * hs, q, keys, values, S + t + 1, C, hs);
            }
        }
    }
}
