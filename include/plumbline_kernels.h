// The C ABI of Plumbline's kernels: the names, signatures and meaning of llm.c's CPU functions. The optimizer's step,
// fused kernels and attention over a cache are added in the same style.
//
// A shared library that exports any of these is verified by `verify --kernels ./libmine.so` and timed by
// `bench --peers ./libmine.so`. What it leaves out is listed as not provided. From C++ and other languages, export the
// names unmangled (extern "C").
//
// Conventions
// - All tensors are dense and row-major, of float32; tokens are int32. Shapes are given outermost first:
//   B sequences of T tokens; C channels; OC output channels; NH heads of hs = C/NH channels; a vocabulary of V tokens,
//   padded to Vp >= V. No size has to be a multiple of anything but C of NH.
// - A function is called <operation>_<pass>. It takes the tensors, results first, then numbers that are no sizes, then
//   the sizes.
// - [out]  is written, every element; it holds NaN before.
//   [acc]  is added to (+=): a gradient. It need not be zero before. Or it is state, which is changed in place.
//   [in]   is read only. Changing it, also for a time, fails.
// - Pointers are aligned to 4 bytes, no more. Reading or writing outside an argument fails, by a single byte.
// - A function is called again with other inputs in the same memory, from one thread at a time. The same inputs in the same
//   place give the same bits, whatever the number of threads; omp_set_num_threads is called before, where the library
//   has it.
// - It returns with the floating-point environment that it found: rounding to nearest, subnormals kept. Do not
//   link with -Ofast or -ffast-math: GCC's start-up code for it switches subnormals off when the library is loaded.
#ifndef PLUMBLINE_KERNELS_H
#define PLUMBLINE_KERNELS_H

#ifdef __cplusplus
extern "C" {
#endif

// out[b,t] = wte[inp[b,t]] + wpe[t]
// [out] out (B,T,C); [in] inp (B,T) tokens, wte (V,C), wpe (maxT,C)
void encoder_forward(float *out, const int *inp, const float *wte, const float *wpe, int B, int T, int C);

// dwte[inp[b,t]] += dout[b,t];  dwpe[t] += sum over b of dout[b,t]
// [acc] dwte (V,C), dwpe (maxT,C); [in] dout (B,T,C), inp (B,T) tokens
void encoder_backward(float *dwte, float *dwpe, const float *dout, const int *inp, int B, int T, int C);

// out = (inp - mean) * rstd * weight + bias, per row of C; rstd = 1/sqrt(variance + 1e-5), the variance over C, not C-1
// [out] out (B,T,C), mean (B,T), rstd (B,T); [in] inp (B,T,C), weight (C), bias (C)
void layernorm_forward(float *out, float *mean, float *rstd, const float *inp, const float *weight, const float *bias,
                       int B, int T, int C);

// With n = (inp - mean) * rstd and g = dout * weight: dinp += rstd * (g - mean(g) - n * mean(g * n)),
// dweight += sum of dout * n, dbias += sum of dout
// [acc] dinp (B,T,C), dweight (C), dbias (C); [in] dout (B,T,C), inp (B,T,C), weight (C), mean (B,T), rstd (B,T)
void layernorm_backward(float *dinp, float *dweight, float *dbias, const float *dout, const float *inp,
                        const float *weight, const float *mean, const float *rstd, int B, int T, int C);

// out = inp * transpose(weight) + bias
// [out] out (B,T,OC); [in] inp (B,T,C), weight (OC,C), bias (OC) or NULL
void matmul_forward(float *out, const float *inp, const float *weight, const float *bias, int B, int T, int C, int OC);

// dinp += dout * weight;  dweight += transpose(dout) * inp;  dbias += sum over rows of dout
// [acc] dinp (B,T,C), dweight (OC,C), dbias (OC) or NULL; [in] dout (B,T,OC), inp (B,T,C), weight (OC,C)
void matmul_backward(float *dinp, float *dweight, float *dbias, const float *dout, const float *inp,
                     const float *weight, int B, int T, int C, int OC);

// Per head, for t2 <= t: preatt = q[t] * k[t2] / sqrt(hs);  att = softmax of preatt over t2, and 0 for t2 > t;
// out = sum over t2 of att * v[t2]
// [out] out (B,T,C), preatt (B,NH,T,T) where t2 <= t, att (B,NH,T,T); [in] inp (B,T,3C), each row q, k, v
void attention_forward(float *out, float *preatt, float *att, const float *inp, int B, int T, int C, int NH);

// The gradients of that: datt += dout * v, dpreatt += att * (datt - sum of att * datt), dq, dk, dv by them
// [acc] dinp (B,T,3C), dpreatt and datt (B,NH,T,T) where t2 <= t; [in] dout (B,T,C), inp (B,T,3C), att (B,NH,T,T)
void attention_backward(float *dinp, float *dpreatt, float *datt, const float *dout, const float *inp,
                        const float *att, int B, int T, int C, int NH);

// out = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), x = inp
// [out] out (N); [in] inp (N)
void gelu_forward(float *out, const float *inp, int N);

// dinp += dout * gelu'(inp)
// [acc] dinp (N); [in] inp (N), dout (N)
void gelu_backward(float *dinp, const float *inp, const float *dout, int N);

// out = inp1 + inp2
// [out] out (N); [in] inp1 (N), inp2 (N)
void residual_forward(float *out, const float *inp1, const float *inp2, int N);

// dinp1 += dout;  dinp2 += dout
// [acc] dinp1 (N), dinp2 (N); [in] dout (N)
void residual_backward(float *dinp1, float *dinp2, const float *dout, int N);

// probs = softmax of the first V of Vp columns, and 0 in the others, whose logits may be anything
// [out] probs (B,T,Vp); [in] logits (B,T,Vp)
void softmax_forward(float *probs, const float *logits, int B, int T, int V, int Vp);

// losses = -log(probs[target])
// [out] losses (B,T); [in] probs (B,T,Vp), targets (B,T) tokens
void crossentropy_forward(float *losses, const float *probs, const int *targets, int B, int T, int Vp);

// dlogits += (probs - (v == target)) * dlosses for v < V, and nothing in the padding
// [acc] dlogits (B,T,Vp); [in] dlosses (B,T), probs (B,T,Vp), targets (B,T) tokens
void crossentropy_softmax_backward(float *dlogits, const float *dlosses, const float *probs, const int *targets, int B,
                                   int T, int V, int Vp);

// One step of AdamW, in place; t counts from 1:
// m = beta1 m + (1-beta1) g;  v = beta2 v + (1-beta2) g^2;
// params -= learning_rate * (m/(1-beta1^t) / (sqrt(v/(1-beta2^t)) + eps) + weight_decay * params)
// [acc] params (N), m (N), v (N); [in] grads (N)
void adamw_update(float *params, float *m, float *v, const float *grads, float learning_rate, float beta1, float beta2,
                  float eps, float weight_decay, int t, int N);

// Fused: attention_forward without the (T,T) matrices. The same out, and lse = log of the sum over t2 <= t of
// exp(q[t] * k[t2] / sqrt(hs))
// [out] out (B,T,C), lse (B,NH,T); [in] inp (B,T,3C), each row q, k, v
void flash_attention_forward(float *out, float *lse, const float *inp, int B, int T, int C, int NH);

// The gradients of that. With att = exp(q * k / sqrt(hs) - lse) and ds = att * (dout * v - sum of dout * out):
// dq += ds * k / sqrt(hs), dk += transpose(ds) * q / sqrt(hs), dv += transpose(att) * dout
// [acc] dinp (B,T,3C); [in] dout (B,T,C), inp (B,T,3C), out (B,T,C), lse (B,NH,T)
void flash_attention_backward(float *dinp, const float *dout, const float *inp, const float *out, const float *lse,
                              int B, int T, int C, int NH);

// Fused: softmax_forward and crossentropy_forward without probabilities. lse = log of the sum of exp(logits) over the
// first V of Vp columns, losses = lse - logits[target]; logits in the padding may be anything
// [out] losses (B,T), lse (B,T); [in] logits (B,T,Vp), targets (B,T) tokens
void classifier_forward(float *losses, float *lse, const float *logits, const int *targets, int B, int T, int V,
                        int Vp);

// dlogits = (exp(logits - lse) - (v == target)) * dlosses for v < V, and 0 in the padding. Written, not added to
// [out] dlogits (B,T,Vp), which may lie where logits do; [in] dlosses (B,T), logits (B,T,Vp), lse (B,T),
// targets (B,T) tokens
void classifier_backward(float *dlogits, const float *dlosses, const float *logits, const float *lse,
                         const int *targets, int B, int T, int V, int Vp);

// Attention of T new positions over a cache of P >= S + T positions, of which the first S are in use; S may be 0. First
// key_cache[S+t] = k[t], value_cache[S+t] = v[t]; all other positions stay as they are. Then, per head:
// out[t] = sum over s <= S + t of att * value_cache[s], att = softmax of q[t] * key_cache[s] / sqrt(hs) over s
// [out] out (B,T,C); [acc] key_cache and value_cache (B,P,C), changed in place; [in] inp (B,T,3C), each row q, k, v
void cached_attention_forward(float *out, float *key_cache, float *value_cache, const float *inp, int B, int T, int S,
                              int P, int C, int NH);

#ifdef __cplusplus
}
#endif
#endif
