// Arithmetic of eight numbers as single operations. Swift's own are spelled lane by lane; the optimiser
// finds the vectors again in short kernels, but gives up on some of them in long ones.
#ifndef POLYMORPH_CVECTOR_SHIM_H
#define POLYMORPH_CVECTOR_SHIM_H

typedef double polymorph_double8 __attribute__((ext_vector_type(8)));

#define POLYMORPH_VECTOR __attribute__((always_inline)) static inline polymorph_double8

POLYMORPH_VECTOR polymorph_sum(polymorph_double8 a, polymorph_double8 b) { return a + b; }

POLYMORPH_VECTOR polymorph_difference(polymorph_double8 a, polymorph_double8 b) { return a - b; }

POLYMORPH_VECTOR polymorph_product(polymorph_double8 a, polymorph_double8 b) { return a * b; }

POLYMORPH_VECTOR polymorph_quotient(polymorph_double8 a, polymorph_double8 b) { return a / b; }

// a b + c with one rounding
POLYMORPH_VECTOR polymorph_multiply_add(polymorph_double8 a, polymorph_double8 b,
                                        polymorph_double8 c) {
  return __builtin_elementwise_fma(a, b, c);
}

POLYMORPH_VECTOR polymorph_square_root(polymorph_double8 a) {
  return __builtin_elementwise_sqrt(a);
}

POLYMORPH_VECTOR polymorph_larger(polymorph_double8 a, polymorph_double8 b) {
  return __builtin_elementwise_max(a, b);
}

POLYMORPH_VECTOR polymorph_smaller(polymorph_double8 a, polymorph_double8 b) {
  return __builtin_elementwise_min(a, b);
}

// value where a < b, else 0; also where one of them is not a number
POLYMORPH_VECTOR polymorph_where_less(polymorph_double8 value, polymorph_double8 a,
                                      polymorph_double8 b) {
  return a < b ? value : (polymorph_double8)0;
}

// ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7))
__attribute__((always_inline)) static inline double polymorph_total(polymorph_double8 a) {
  polymorph_double8 half = a + __builtin_shufflevector(a, a, 4, 5, 6, 7, 4, 5, 6, 7);
  polymorph_double8 quarter = half + __builtin_shufflevector(half, half, 2, 3, 2, 3, 2, 3, 2, 3);
  return quarter[0] + quarter[1];
}

__attribute__((always_inline)) static inline double polymorph_least(polymorph_double8 a) {
  return __builtin_reduce_min(a);
}

// whether a < b in any lane; the smallest of all lanes takes eight comparisons in a row
__attribute__((always_inline)) static inline _Bool polymorph_any_less(polymorph_double8 a,
                                                                      polymorph_double8 b) {
  return __builtin_reduce_or(a < b) != 0;
}

#undef POLYMORPH_VECTOR
#endif
