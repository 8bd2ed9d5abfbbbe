/*
 * What the kernel itself takes for fan-out, without Node and without a server: writes a short message to each of many
 * loopback sockets, so many times a second, and says what a write costs. The reader is another process on another core.
 *
 *     cc -O2 -o kernel test/bench/kernel.c && ./kernel 1000 20
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 8, BYTES = 60, EVENTS = 1024 };

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void pin_to(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

static double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void read_all(const struct sockaddr_in *server, int sockets) {
  static char bytes[65536];
  static struct epoll_event events[EVENTS];
  int readable = epoll_create1(0);
  pin_to(1);
  for (int i = 0; i < sockets; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (connect(fd, (const struct sockaddr *)server, sizeof *server) != 0) die("connect");
    epoll_ctl(readable, EPOLL_CTL_ADD, fd, &event);
  }
  for (;;) {
    int count = epoll_wait(readable, events, EVENTS, -1);
    for (int i = 0; i < count; i++)
      if (read(events[i].data.fd, bytes, sizeof bytes) <= 0) exit(0);
  }
}

int main(int argc, char **argv) {
  int sockets = argc > 1 ? atoi(argv[1]) : 0;
  int rate = argc > 2 ? atoi(argv[2]) : 0;
  if (sockets < 1 || rate < 1) {
    fprintf(stderr, "usage: kernel SOCKETS WRITES_A_SECOND_TO_EACH\n");
    return 2;
  }
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 512) != 0) die("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  pid_t reader = fork();
  if (reader == 0) read_all(&address, sockets);
  pin_to(0);
  int *fds = malloc(sockets * sizeof *fds);
  for (int i = 0, on = 1; i < sockets; i++) {
    fds[i] = accept(listener, NULL, NULL);
    if (fds[i] < 0) die("accept");
    setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fds[i], F_SETFL, O_NONBLOCK);
  }
  static char message[BYTES];
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  double before = 0;
  long writes = 0;
  /* The first second doesn't count. */
  for (int round = -rate; round < rate * SECONDS; round++) {
    if (round == 0) {
      before = cpu_seconds();
      writes = 0;
    }
    for (int i = 0; i < sockets; i++)
      if (write(fds[i], message, BYTES) == BYTES) writes++;
    next.tv_nsec += 1000000000L / rate;
    if (next.tv_nsec >= 1000000000L) {
      next.tv_nsec -= 1000000000L;
      next.tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
  }
  printf("%d sockets, %d writes a second to each: %.2f us of CPU a write\n", sockets, rate,
         (cpu_seconds() - before) * 1e6 / writes);
  kill(reader, SIGKILL);
  return 0;
}
