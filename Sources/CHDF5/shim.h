// The C library's macros that Swift cannot import, as functions with one prefix.
#pragma once
#include <hdf5.h>

static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
static inline hid_t chdf5_all(void) { return H5S_ALL; }
static inline hid_t chdf5_error_stack(void) { return H5E_DEFAULT; }

static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned chdf5_read_write(void) { return H5F_ACC_RDWR; }
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }

static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_group_access(void) { return H5P_GROUP_ACCESS; }
static inline hid_t chdf5_dataset_access(void) { return H5P_DATASET_ACCESS; }

static inline hid_t chdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t chdf5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t chdf5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t chdf5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t chdf5_c_string(void) { return H5T_C_S1; }
static inline size_t chdf5_variable(void) { return H5T_VARIABLE; }

// Where in its file an object lies; ~0 if that cannot be told.
static inline unsigned long long chdf5_address(hid_t object) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t information;
#else
  H5O_info_t information;
#endif
  return H5Oget_info2(object, &information, H5O_INFO_BASIC) < 0 ? ~0ull : information.addr;
}

// H5Literate is a macro from 1.12 on.
static inline herr_t chdf5_iterate(hid_t group, H5L_iterate_t visit, void *data) {
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, visit, data);
}
