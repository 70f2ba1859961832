/* A serial line: raw, at any baud rate, for one program alone, and watched by libuv. */
#define _GNU_SOURCE
#include "native.h"
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>

/* As asm-generic/termbits.h has it, which cannot be included beside termios.h: the rate as a number. */
struct termios2 {
  unsigned c_iflag, c_oflag, c_cflag, c_lflag;
  unsigned char c_line, c_cc[19];
  unsigned c_ispeed, c_ospeed;
};
#define ANY_RATE 0x1000
#define INPUT_SHIFT 16

typedef struct {
  uv_poll_t uv;
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  bool ended;
} Watch;

/* configureLine(fd, baud): eight bits, no parity, one stop bit, no flow control, no modem lines, every byte as it is */
static napi_value configure_line(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct termios2 line, found;
  int fd = to_int(env, argv[0]), baud = to_int(env, argv[1]);
  if (ioctl(fd, TCGETS2, &line)) return throw_errno(env, "ioctl", errno);
  line.c_iflag = IGNBRK;
  line.c_oflag = 0;
  line.c_lflag = 0;
  line.c_cflag = CS8 | CREAD | CLOCAL | ANY_RATE | ANY_RATE << INPUT_SHIFT;
  line.c_ispeed = line.c_ospeed = baud;
  line.c_cc[VMIN] = 1;
  line.c_cc[VTIME] = 0;
  if (ioctl(fd, TCSETS2, &line) || ioctl(fd, TCGETS2, &found)) return throw_errno(env, "ioctl", errno);
  /* A driver takes the nearest rate that it can do; a receiver stands three per cent. */
  int off = (int)found.c_ospeed - baud;
  if (off > baud / 33 || off < -(baud / 33)) return throw_errno(env, "ioctl", EINVAL);
  if (ioctl(fd, TCFLSH, TCIOFLUSH)) return throw_errno(env, "ioctl", errno);
  return NULL;
}

/* claimLine(fd): no other program may open it, nor lock it; throws EAGAIN if one has it locked */
static napi_value claim_line(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd = to_int(env, argv[0]);
  if (flock(fd, LOCK_EX | LOCK_NB)) return throw_errno(env, "flock", errno);
  if (ioctl(fd, TIOCEXCL)) return throw_errno(env, "ioctl", errno);
  return NULL;
}

/* flushLine(fd): forgets what is not sent yet; a close waits for it else */
static napi_value flush_line(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  (void)ioctl(to_int(env, argv[0]), TCFLSH, TCOFLUSH);
  return NULL;
}

static void watch_closed(uv_handle_t *handle) {
  Watch *watch = (Watch *)handle;
  napi_remove_async_cleanup_hook(watch->hook);
  if (watch->ended) free(watch);
  else watch->ended = true;
}

static void end_watch(Watch *watch) {
  if (!watch->callback) return;
  uv_poll_stop(&watch->uv);
  napi_delete_reference(watch->env, watch->callback);
  watch->callback = NULL;
  napi_async_destroy(watch->env, watch->context);
  uv_close((uv_handle_t *)&watch->uv, watch_closed);
}

static void environment_ends(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  end_watch(data);
}

/* Whoever comes last, JavaScript's hold or libuv's, frees it. */
static void finalize(napi_env env, void *data, void *hint) {
  Watch *watch = data;
  (void)env, (void)hint;
  if (watch->ended) {
    free(watch);
    return;
  }
  watch->ended = true;
  end_watch(watch);
}

static void on_ready(uv_poll_t *handle, int status, int events) {
  Watch *watch = (Watch *)handle;
  napi_env env = watch->env;
  napi_handle_scope scope;
  napi_value callback, self, thrown;
  (void)status, (void)events;
  napi_open_handle_scope(env, &scope);
  napi_get_reference_value(env, watch->callback, &callback);
  napi_get_global(env, &self);
  if (napi_make_callback(env, watch->context, self, callback, 0, NULL, NULL) == napi_pending_exception) {
    napi_get_and_clear_last_exception(env, &thrown);
    napi_fatal_exception(env, thrown);
  }
  napi_close_handle_scope(env, scope);
}

/* watchLine(fd, callback) -> watch: calls back from the loop while there is something to read, or it was hung up */
static napi_value watch_line(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  napi_value name, external;
  uv_loop_t *loop;
  Watch *watch = calloc(1, sizeof *watch);
  if (!watch) return throw_errno(env, "poll", ENOMEM);
  watch->env = env;
  napi_get_uv_event_loop(env, &loop);
  int r = uv_poll_init(loop, &watch->uv, to_int(env, argv[0]));
  if (r) {
    free(watch);
    return throw_errno(env, "poll", -r);
  }
  napi_create_string_utf8(env, "baton.line", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &watch->context);
  napi_create_reference(env, argv[1], 1, &watch->callback);
  napi_add_async_cleanup_hook(env, environment_ends, watch, &watch->hook);
  napi_create_external(env, watch, finalize, NULL, &external);
  uv_poll_start(&watch->uv, UV_READABLE, on_ready);
  return external;
}

/* unwatchLine(watch): before the descriptor is closed */
static napi_value unwatch_line(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  void *watch = NULL;
  if (napi_get_value_external(env, argv[0], &watch) == napi_ok) end_watch(watch);
  return NULL;
}

void define_line(napi_env env, napi_value exports) {
  napi_property_descriptor functions[] = {
      ENTRY("configureLine", configure_line), ENTRY("claimLine", claim_line),     ENTRY("flushLine", flush_line),
      ENTRY("watchLine", watch_line),         ENTRY("unwatchLine", unwatch_line),
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
}
