/* A provider that costs almost nothing: fixed answers, so that whatever stands in front of it is the limit.
 * responder PORT JSON_FILE SSE_FILE: two whole HTTP answers; the events of the second are separated by a zero byte
 * and leave one per turn, so that every open stream moves at the same pace. */
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
#include <unistd.h>

enum {MAX_HEAD = 16384, EDGE = 512, MAX_FDS = 8192, MAX_PARTS = 256};

struct connection {
	char head[MAX_HEAD]; /* the request's head, then the first EDGE bytes of its body */
	char tail[EDGE];     /* the last bytes of its body: "stream" may stand at either end */
	size_t headLength, bodyLeft, edgeLength, tailLength, sent;
	int inBody, part; /* part: which event is next, -1 when not streaming */
};

static struct connection *connections[MAX_FDS];
static char *whole[2];
static size_t wholeLength[2];
static char *parts[MAX_PARTS];
static size_t partLength[MAX_PARTS];
static int partCount, streaming[MAX_FDS], streamingCount;

static void readWhole(int slot, const char *path) {
	FILE *file = fopen(path, "rb");
	if (!file) exit(2);
	whole[slot] = malloc(1 << 20);
	wholeLength[slot] = fread(whole[slot], 1, 1 << 20, file);
	fclose(file);
}

static void split(void) {
	char *from = whole[1], *end = whole[1] + wholeLength[1];
	while (from < end && partCount < MAX_PARTS) {
		char *zero = memchr(from, 0, end - from);
		char *to = zero ? zero : end;
		parts[partCount] = from;
		partLength[partCount++] = to - from;
		from = to + 1;
	}
}

static void drop(int fd) {
	for (int i = 0; i < streamingCount; i++)
		if (streaming[i] == fd) streaming[i--] = streaming[--streamingCount];
	free(connections[fd]);
	connections[fd] = NULL;
	close(fd);
}

static void answer(int fd, struct connection *it) {
	char *edge = it->head + it->headLength;
	int streams = memmem(edge, it->edgeLength, "\"stream\":true", 13) || memmem(it->tail, it->tailLength, "\"stream\":true", 13);
	it->headLength = it->edgeLength = it->tailLength = 0;
	it->inBody = 0;
	if (streams) {
		it->part = 0;
		it->sent = 0;
		streaming[streamingCount++] = fd;
		return;
	}
	if (send(fd, whole[0], wholeLength[0], MSG_NOSIGNAL) != (ssize_t)wholeLength[0]) drop(fd);
}

static int body(struct connection *it, const char *bytes, size_t length) {
	size_t room = EDGE - it->edgeLength, first = length < room ? length : room;
	memcpy(it->head + it->headLength + it->edgeLength, bytes, first);
	it->edgeLength += first;
	size_t last = length < EDGE ? length : EDGE, keep = it->tailLength + last > EDGE ? EDGE - last : it->tailLength;
	memmove(it->tail, it->tail + it->tailLength - keep, keep);
	memcpy(it->tail + keep, bytes + length - last, last);
	it->tailLength = keep + last;
	it->bodyLeft -= length;
	return it->bodyLeft == 0;
}

/* One request at a time on a connection: nobody pipelines at a provider. */
static void received(int fd, struct connection *it, const char *bytes, size_t length) {
	if (it->inBody) {
		if (body(it, bytes, length < it->bodyLeft ? length : it->bodyLeft)) answer(fd, it);
		return;
	}
	size_t old = it->headLength, take = length < MAX_HEAD - EDGE - 1 - old ? length : MAX_HEAD - EDGE - 1 - old;
	memcpy(it->head + old, bytes, take);
	it->head[old + take] = 0;
	size_t from = old > 3 ? old - 3 : 0;
	char *end = memmem(it->head + from, old + take - from, "\r\n\r\n", 4);
	if (!end) {
		it->headLength = old + take;
		if (it->headLength >= MAX_HEAD - EDGE - 1) drop(fd);
		return;
	}
	it->headLength = end + 4 - it->head;
	char after = *(end + 4);
	*(end + 4) = 0;
	char *field = strcasestr(it->head, "\r\ncontent-length:");
	it->bodyLeft = field ? strtoul(field + 17, NULL, 10) : 0;
	*(end + 4) = after;
	if (!field && strncmp(it->head, "GET ", 4)) { drop(fd); return; } /* a chunked request would need more parsing than this has */
	it->inBody = 1;
	size_t used = it->headLength - old, rest = length - used;
	if (it->bodyLeft == 0 || (rest && body(it, bytes + used, rest < it->bodyLeft ? rest : it->bodyLeft))) answer(fd, it);
}

/* Sends the next event of every open stream; answers how many moved. */
static int turn(void) {
	int moved = 0;
	for (int i = streamingCount - 1; i >= 0; i--) {
		int fd = streaming[i];
		struct connection *it = connections[fd];
		ssize_t sent = send(fd, parts[it->part] + it->sent, partLength[it->part] - it->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0) {
			if (errno != EAGAIN) drop(fd);
			continue;
		}
		moved++;
		it->sent += sent;
		if (it->sent < partLength[it->part]) continue;
		it->sent = 0;
		if (++it->part == partCount) streaming[i] = streaming[--streamingCount];
	}
	return moved;
}

int main(int argc, char **argv) {
	if (argc < 4) return 2;
	signal(SIGPIPE, SIG_IGN);
	readWhole(0, argv[2]);
	readWhole(1, argv[3]);
	split();
	int on = 1, door = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(door, (struct sockaddr *)&at, sizeof at) || listen(door, 1024)) { perror("listen"); return 1; }
	struct epoll_event event = {.events = EPOLLIN, .data.fd = door}, events[512];
	epoll_ctl(poll, EPOLL_CTL_ADD, door, &event);
	puts("ready");
	fflush(stdout);
	static char bytes[262144];
	for (int moved = 0;;) {
		int count = epoll_wait(poll, events, 512, streamingCount ? (moved ? 0 : 1) : -1);
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			if (fd == door) {
				int client = accept4(door, NULL, NULL, SOCK_CLOEXEC);
				if (client < 0) continue;
				if (client >= MAX_FDS) { close(client); continue; }
				setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
				connections[client] = calloc(1, sizeof(struct connection));
				event = (struct epoll_event){.events = EPOLLIN, .data.fd = client};
				epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
				continue;
			}
			if (!connections[fd]) continue;
			ssize_t length = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
			if (length > 0) received(fd, connections[fd], bytes, length);
			else if (length == 0 || errno != EAGAIN) drop(fd);
		}
		moved = turn();
	}
}
