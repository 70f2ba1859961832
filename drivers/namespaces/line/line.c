/*
 * A serial line for the kernel lab: two pseudo terminals, and between them a wire with a baud rate.
 *
 *     line BAUD LINK LINK        a symbolic link to each terminal; says "ready" on stdout
 *
 * On stdin: cut, join, noise PROBABILITY, unplug 0|1, plug 0|1. Its end is the line's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define QUEUE 16384

struct end {
  const char *link;
  /* The program's side is kept open too, or each restart of a daemon would be an unplugging. */
  int master, slave;
};

/* What one end has sent and the other has not got yet. */
struct way {
  unsigned char bytes[QUEUE];
  size_t from, length;
  double next;
};

static struct end ends[2];
static struct way ways[2];
static int is_cut;
static double noise, byte_ms;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void die(const char *what) {
  fprintf(stderr, "line: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void plug(struct end *end) {
  struct termios raw;
  char name[64];
  if (end->master >= 0) return;
  end->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (end->master < 0 || grantpt(end->master) || unlockpt(end->master) || ptsname_r(end->master, name, sizeof name)) die("pty");
  end->slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (end->slave < 0 || tcgetattr(end->slave, &raw)) die(name);
  cfmakeraw(&raw);
  if (tcsetattr(end->slave, TCSANOW, &raw)) die(name);
  unlink(end->link);
  if (symlink(name, end->link)) die(end->link);
}

static void unplug(struct end *end) {
  if (end->master < 0) return;
  unlink(end->link);
  close(end->slave);
  close(end->master);
  end->master = end->slave = -1;
}

static void take(int side, double now) {
  struct way *way = &ways[side];
  unsigned char bytes[1024];
  ssize_t n = read(ends[side].master, bytes, sizeof bytes);
  if (n <= 0) return;
  if (way->length == 0 && way->next < now) way->next = now + byte_ms;
  for (ssize_t i = 0; i < n && way->length < QUEUE; i++) way->bytes[(way->from + way->length++) % QUEUE] = bytes[i];
}

/* All that has had its time on the wire by now. */
static void give(int side, double now) {
  struct way *way = &ways[side];
  struct end *to = &ends[1 - side];
  unsigned char out[2 * QUEUE];
  size_t n = 0;
  for (; way->length > 0 && way->next <= now; way->length--, way->next += byte_ms) {
    unsigned char byte = way->bytes[way->from];
    way->from = (way->from + 1) % QUEUE;
    if (noise == 0 || drand48() >= noise) {
      out[n++] = byte;
      continue;
    }
    double what = drand48();
    if (what < 0.6) out[n++] = byte ^ (1 << (lrand48() & 7));
    else if (what < 0.8) {
      out[n++] = byte;
      out[n++] = lrand48() & 0xff;
    }
  }
  /* What the other end does not read is lost. */
  if (n > 0 && !is_cut && to->master >= 0 && write(to->master, out, n) < 0 && errno != EAGAIN && errno != EIO) die("write");
}

static void obey(char *line) {
  char *word = strtok(line, " \n"), *argument = strtok(NULL, " \n");
  int side = argument && argument[0] == '1';
  if (!word) return;
  if (!strcmp(word, "cut")) is_cut = 1;
  else if (!strcmp(word, "join")) is_cut = 0;
  else if (!strcmp(word, "noise") && argument) noise = atof(argument);
  else if (!strcmp(word, "unplug")) unplug(&ends[side]);
  else if (!strcmp(word, "plug")) plug(&ends[side]);
  puts("done");
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  byte_ms = 10e3 / atof(argv[1]);
  srand48(1);
  for (int i = 0; i < 2; i++) {
    ends[i] = (struct end){.link = argv[2 + i], .master = -1, .slave = -1};
    plug(&ends[i]);
  }
  puts("ready");
  for (;;) {
    struct pollfd polls[3] = {{0, POLLIN, 0}, {ends[0].master, POLLIN, 0}, {ends[1].master, POLLIN, 0}};
    poll(polls, 3, ways[0].length || ways[1].length ? 1 : -1);
    double now = now_ms();
    for (int i = 0; i < 2; i++) {
      if (polls[1 + i].revents & POLLIN) take(i, now);
      give(i, now);
    }
    if (polls[0].revents) {
      char line[128];
      if (!fgets(line, sizeof line, stdin)) break;
      obey(line);
    }
  }
  unplug(&ends[0]);
  unplug(&ends[1]);
  return 0;
}
