/* What the files of the addon share: errors as Node has them, and values in and out of JavaScript. */
#ifndef BATON_NATIVE_H
#define BATON_NATIVE_H
#define NAPI_VERSION 8
#include <errno.h>
#include <node_api.h>
#include <stdio.h>
#include <uv.h>

static inline napi_value throw_errno(napi_env env, const char *syscall, int e) {
  napi_value message, code, error, value;
  char text[128];
  snprintf(text, sizeof text, "%s: %s, %s", uv_err_name(-e), uv_strerror(-e), syscall);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  napi_create_string_utf8(env, uv_err_name(-e), NAPI_AUTO_LENGTH, &code);
  napi_create_error(env, code, message, &error);
  napi_create_int32(env, -e, &value);
  napi_set_named_property(env, error, "errno", value);
  napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, error, "syscall", value);
  napi_throw(env, error);
  return NULL;
}

static inline napi_value from_int(napi_env env, int32_t n) {
  napi_value value;
  napi_create_int32(env, n, &value);
  return value;
}

static inline int to_int(napi_env env, napi_value value) {
  int32_t n = 0;
  napi_get_value_int32(env, value, &n);
  return n;
}

static inline bool to_array(napi_env env, napi_value value, napi_typedarray_type want, void **data, size_t *length) {
  napi_typedarray_type type;
  bool is = false;
  *data = NULL;
  *length = 0;
  return napi_is_typedarray(env, value, &is) == napi_ok && is &&
         napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == want;
}
#define to_bytes(env, value, data, length) to_array(env, value, napi_uint8_array, (void **)(data), length)
#define to_ints(env, value, data, length) to_array(env, value, napi_int32_array, (void **)(data), length)

#define ARGUMENTS(n)  \
  size_t argc = n;    \
  napi_value argv[n]; \
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL)

#define ENTRY(name, function) {name, NULL, function, NULL, NULL, NULL, napi_default, NULL}

/* Each puts what it has into the module's exports. */
void define_socket(napi_env env, napi_value exports);
void define_syscalls(napi_env env, napi_value exports);
void define_disk(napi_env env, napi_value exports);
void define_line(napi_env env, napi_value exports);

#endif
