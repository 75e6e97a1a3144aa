#pragma once
#include <ffi.h>

// libffi's descriptions of types are variables, which Swift may not share between threads; their addresses do not change.
static inline ffi_type *plumbline_ffi_void(void) { return &ffi_type_void; }
static inline ffi_type *plumbline_ffi_pointer(void) { return &ffi_type_pointer; }
static inline ffi_type *plumbline_ffi_float(void) { return &ffi_type_float; }
static inline ffi_type *plumbline_ffi_int(void) { return &ffi_type_sint; }
