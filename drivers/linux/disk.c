/* Direct I/O needs memory at whole blocks, and a device tells its size and its block by ioctl; a lock of our own, by range. */
#define _GNU_SOURCE
#include "native.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static void release(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

/* alignedBytes(length, alignment) -> ArrayBuffer, zeroed */
static napi_value aligned_bytes(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  napi_value buffer;
  void *data = NULL;
  int32_t length = to_int(env, argv[0]), alignment = to_int(env, argv[1]);
  int e = length < 1 ? EINVAL : posix_memalign(&data, alignment, length);
  if (e) return throw_errno(env, "posix_memalign", e);
  memset(data, 0, length);
  if (napi_create_external_arraybuffer(env, data, length, release, NULL, &buffer) != napi_ok) {
    free(data);
    return throw_errno(env, "posix_memalign", ENOMEM);
  }
  return buffer;
}

/* blockDevice(fd, out: [logical block, physical block]) -> its size in bytes; throws ENOTTY for what is none */
static napi_value block_device(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int32_t *out;
  size_t count;
  int fd = to_int(env, argv[0]), logical = 0;
  unsigned physical = 0;
  uint64_t size = 0;
  napi_value value;
  if (!to_ints(env, argv[1], &out, &count) || count < 2) return throw_errno(env, "ioctl", EINVAL);
  if (ioctl(fd, BLKSSZGET, &logical) || ioctl(fd, BLKPBSZGET, &physical) || ioctl(fd, BLKGETSIZE64, &size))
    return throw_errno(env, "ioctl", errno);
  out[0] = logical;
  out[1] = (int32_t)physical;
  napi_create_double(env, (double)size, &value);
  return value;
}

/* lockRange(fd, start, length): for writing, of this open file description (F_OFD_SETLK); throws EAGAIN if another has it */
static napi_value lock_range(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = to_int(env, argv[1]), .l_len = to_int(env, argv[2])};
  if (fcntl(to_int(env, argv[0]), F_OFD_SETLK, &lock)) return throw_errno(env, "fcntl", errno);
  return NULL;
}

void define_disk(napi_env env, napi_value exports) {
  napi_property_descriptor functions[] = {
      ENTRY("alignedBytes", aligned_bytes),
      ENTRY("blockDevice", block_device),
      ENTRY("lockRange", lock_range),
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
}
