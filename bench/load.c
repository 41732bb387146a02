/* Keeps a number of connections busy with one request, checks every answer, and says how long they took.
 * load PORT CONNECTIONS WARM_MS WINDOW_MS REQUEST_FILE MARKS
 * It warms up, lets all answers arrive, prints "warm", waits for a line on stdin, loads for the window, lets all answers arrive and prints
 * one line of JSON. An answer counts when its status is 200, it ends as HTTP says, and it holds the marks "#1 " to "#MARKS " in order. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {MAX_HEAD = 16384, MAX_SAMPLES = 2000000, MAX_ERRORS = 200, DRAIN_MS = 15000};
enum state {IDLE, HEAD, SIZED, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER};

struct connection {
	int fd, status, mark, markNow, inMark, line, closes;
	enum state state;
	size_t headLength, left, sent;
	int64_t startedNs, firstByteNs;
	char head[MAX_HEAD + 1];
};

static struct connection *connections;
static struct sockaddr_in target = {.sin_family = AF_INET};
static char request[1 << 20], firstError[600];
static size_t requestLength;
static int poll, connectionCount, marks, asking, counting, busy, errors;
static uint32_t latency[MAX_SAMPLES], firstByte[MAX_SAMPLES];
static size_t answered, bodyBytes;

static int64_t now(void) {
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void dial(struct connection *it) {
	int on = 1;
	it->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(it->fd, (struct sockaddr *)&target, sizeof target)) { perror("connect"); exit(1); }
	setsockopt(it->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = it};
	epoll_ctl(poll, EPOLL_CTL_ADD, it->fd, &event);
	it->state = IDLE;
}

static void push(struct connection *it) {
	ssize_t sent = send(it->fd, request + it->sent, requestLength - it->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent > 0) it->sent += sent;
	struct epoll_event event = {.events = EPOLLIN | (it->sent < requestLength ? EPOLLOUT : 0), .data.ptr = it};
	epoll_ctl(poll, EPOLL_CTL_MOD, it->fd, &event);
}

static void ask(struct connection *it) {
	if (it->closes) { close(it->fd); dial(it); }
	it->sent = it->headLength = it->left = 0;
	it->mark = it->inMark = it->line = it->closes = 0;
	it->state = HEAD;
	it->startedNs = now();
	busy++;
	ssize_t sent = send(it->fd, request, requestLength, MSG_NOSIGNAL | MSG_DONTWAIT);
	it->sent = sent > 0 ? sent : 0;
	if (it->sent < requestLength) push(it);
}

static void failed(struct connection *it, const char *why) {
	if (errors++ == 0) {
		int used = snprintf(firstError, sizeof firstError, "%s (status %d): ", why, it->status);
		for (size_t i = 0; i < it->headLength && used < 500; i++) {
			char c = it->head[i];
			firstError[used++] = c < 32 || c == '"' || c == '\\' || c > 126 ? ' ' : c;
		}
		firstError[used] = 0;
	}
	busy--;
	if (errors > MAX_ERRORS) asking = 0;
	close(it->fd);
	dial(it);
	if (asking) ask(it);
}

static void done(struct connection *it) {
	if (it->status != 200) { failed(it, "refused"); return; }
	if (it->mark != marks) { failed(it, "lost or reordered text"); return; }
	int64_t ended = now();
	if (counting && answered < MAX_SAMPLES) {
		latency[answered] = (ended - it->startedNs) / 1000;
		firstByte[answered++] = (it->firstByteNs - it->startedNs) / 1000;
	}
	it->state = IDLE;
	busy--;
	if (asking) ask(it);
}

static void text(struct connection *it, const char *from, size_t length) {
	const char *end = from + length;
	bodyBytes += counting ? length : 0;
	if (it->status != 200) { /* kept for the error message */
		size_t room = MAX_HEAD - it->headLength, take = length < room ? length : room;
		memcpy(it->head + it->headLength, from, take);
		it->headLength += take;
	}
	while (from < end) {
		if (!it->inMark) {
			from = memchr(from, '#', end - from);
			if (!from) return;
			from++;
			it->inMark = 1;
			it->markNow = 0;
		}
		while (from < end && *from >= '0' && *from <= '9') it->markNow = it->markNow * 10 + *from++ - '0';
		if (from == end) return;
		it->inMark = 0;
		it->mark = it->markNow == it->mark + 1 ? it->markNow : -1000000;
	}
}

static void headRead(struct connection *it) {
	it->head[it->headLength] = 0;
	it->status = atoi(it->head + 9);
	it->closes = strcasestr(it->head, "\r\nconnection: close") != NULL;
	char *sized = strcasestr(it->head, "\r\ncontent-length:");
	it->left = sized ? strtoul(sized + 17, NULL, 10) : 0;
	it->state = sized ? SIZED : strcasestr(it->head, "\r\ntransfer-encoding: chunked") ? CHUNK_SIZE : IDLE;
	if (it->status != 200) it->headLength = 0;
}

/* Answers how many bytes it took; stops after an answer's last one. */
static void received(struct connection *it, const char *at, size_t length) {
	const char *end = at + length;
	if (it->state == HEAD && it->headLength == 0) it->firstByteNs = now();
	while (at < end && it->state != IDLE) {
		if (it->state == HEAD) {
			it->head[it->headLength++] = *at++;
			if (it->headLength >= MAX_HEAD) { failed(it, "endless head"); return; }
			if (at[-1] != '\n' || it->headLength < 4 || memcmp(it->head + it->headLength - 4, "\r\n\r\n", 4)) continue;
			headRead(it);
			if (it->state == IDLE || (it->state == SIZED && it->left == 0)) { failed(it, "answer without a length or body"); return; }
			continue;
		}
		if (it->state == SIZED || it->state == CHUNK) {
			size_t take = (size_t)(end - at) < it->left ? (size_t)(end - at) : it->left;
			text(it, at, take);
			at += take;
			it->left -= take;
			if (it->left) return;
			if (it->state == SIZED) { done(it); return; }
			it->state = CHUNK_END;
			continue;
		}
		char c = *at++;
		if (it->state == CHUNK_SIZE) {
			int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
			if (digit >= 0) it->left = it->left * 16 + digit;
			if (c == '\n') it->state = it->left ? CHUNK : TRAILER;
			continue;
		}
		if (it->state == CHUNK_END) {
			if (c == '\n') it->state = CHUNK_SIZE;
			continue;
		}
		if (c == '\n' && it->line == 0) { done(it); return; } /* TRAILER: an empty line ends it */
		if (c != '\r') it->line = c == '\n' ? 0 : it->line + 1;
	}
}

static void load(int ms) {
	static char bytes[262144];
	struct epoll_event events[512];
	int64_t until = now() + ms * 1000000LL, drained = until + DRAIN_MS * 1000000LL;
	asking = errors <= MAX_ERRORS;
	for (int i = 0; i < connectionCount && asking; i++) ask(connections + i);
	while (busy > 0) {
		int64_t at = now();
		if (at >= until) asking = 0;
		if (at >= drained) { errors += busy; snprintf(firstError, sizeof firstError, "no answer in %d ms", DRAIN_MS); return; }
		int count = epoll_wait(poll, events, 512, 100);
		for (int i = 0; i < count; i++) {
			struct connection *it = events[i].data.ptr;
			if (events[i].events & EPOLLOUT) push(it);
			if (!(events[i].events & ~EPOLLOUT)) continue;
			ssize_t length = recv(it->fd, bytes, sizeof bytes, MSG_DONTWAIT);
			if (length > 0) received(it, bytes, length);
			else if (length < 0 && errno == EAGAIN) continue;
			else if (it->state == IDLE) { close(it->fd); dial(it); }
			else failed(it, "connection closed");
		}
	}
}

static int64_t cpuUs(void) {
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int ascending(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
	if (argc < 7) return 2;
	signal(SIGPIPE, SIG_IGN);
	target.sin_port = htons(atoi(argv[1]));
	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connectionCount = atoi(argv[2]);
	marks = atoi(argv[6]);
	FILE *file = fopen(argv[5], "rb");
	if (!file) return 2;
	requestLength = fread(request, 1, sizeof request, file);
	fclose(file);
	poll = epoll_create1(0);
	connections = calloc(connectionCount, sizeof *connections);
	for (int i = 0; i < connectionCount; i++) dial(connections + i);
	load(atoi(argv[3]));
	puts("warm");
	fflush(stdout);
	if (getchar() == EOF) return 3;
	counting = 1;
	int64_t cpu = cpuUs(), started = now();
	load(atoi(argv[4]));
	int64_t took = now() - started;
	cpu = cpuUs() - cpu;
	qsort(latency, answered, sizeof *latency, ascending);
	qsort(firstByte, answered, sizeof *firstByte, ascending);
	size_t middle = answered / 2, late = answered ? (answered * 99 - 1) / 100 : 0;
	printf("{\"requests\":%zu,\"errors\":%d,\"firstError\":\"%s\",\"ms\":%.3f,\"p50Us\":%u,\"p99Us\":%u,\"firstByteP50Us\":%u,\"bodyBytes\":%zu,\"cpuUs\":%lld}\n",
		answered, errors, firstError, took / 1e6, latency[middle], latency[late], firstByte[middle], bodyBytes, (long long)cpu);
}
