/*
 * The least that a local switch can be: watch one counter, move one IPv4 address and the default route, announce.
 * No check, no proof, no way back. It is what baton's outage is held against, on the same cables in the same run.
 *
 *   minimal OLD NEW ADDRESS/LENGTH GATEWAY|- POLL_MS     waits for a carrier change of OLD
 *   minimal OLD NEW ADDRESS/LENGTH GATEWAY|- now         moves at once
 *
 * Writes "ready" when it watches and "moved" when it is done.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct request {
	struct nlmsghdr header;
	union {
		struct ifaddrmsg address;
		struct rtmsg route;
	} body;
	char attributes[64];
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned index_of(const char *nic)
{
	unsigned index = if_nametoindex(nic);
	if (index == 0)
		die(nic);
	return index;
}

static void put(struct request *request, unsigned short type, const void *data, size_t length)
{
	struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(length);
	memcpy(RTA_DATA(attribute), data, length);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

static void ask(int netlink, struct request *request, const char *what)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	request->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(netlink, request, request->header.nlmsg_len, 0) < 0 || recv(netlink, &answer, sizeof answer, 0) < 0)
		die(what);
	if (answer.error.error != 0) {
		errno = -answer.error.error;
		die(what);
	}
}

static void change_address(int netlink, unsigned short type, unsigned index, struct in_addr address, int length)
{
	struct request request = { 0 };
	struct in_addr broadcast = { address.s_addr | htonl(length == 32 ? 0 : 0xffffffffu >> length) };
	request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.body.address);
	request.header.nlmsg_type = type;
	if (type == RTM_NEWADDR)
		request.header.nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	request.body.address.ifa_family = AF_INET;
	request.body.address.ifa_prefixlen = length;
	request.body.address.ifa_index = index;
	put(&request, IFA_LOCAL, &address, sizeof address);
	put(&request, IFA_ADDRESS, &address, sizeof address);
	if (type == RTM_NEWADDR)
		put(&request, IFA_BROADCAST, &broadcast, sizeof broadcast);
	ask(netlink, &request, type == RTM_NEWADDR ? "add address" : "delete address");
}

static void replace_default_route(int netlink, unsigned index, struct in_addr gateway)
{
	struct request request = { 0 };
	request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.body.route);
	request.header.nlmsg_type = RTM_NEWROUTE;
	request.header.nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	request.body.route.rtm_family = AF_INET;
	request.body.route.rtm_table = RT_TABLE_MAIN;
	request.body.route.rtm_protocol = RTPROT_STATIC;
	request.body.route.rtm_scope = RT_SCOPE_UNIVERSE;
	request.body.route.rtm_type = RTN_UNICAST;
	put(&request, RTA_GATEWAY, &gateway, sizeof gateway);
	put(&request, RTA_OIF, &index, sizeof index);
	ask(netlink, &request, "replace route");
}

static void announce(const char *nic, unsigned index, struct in_addr address)
{
	struct {
		struct ethhdr ethernet;
		struct arphdr arp;
		unsigned char sha[6], spa[4], tha[6], tpa[4];
	} __attribute__((packed)) frame = { 0 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)index, .sll_halen = 6 };
	struct ifreq card = { 0 };
	int packets = socket(AF_PACKET, SOCK_RAW, 0);
	strncpy(card.ifr_name, nic, IFNAMSIZ - 1);
	if (packets < 0 || ioctl(packets, SIOCGIFHWADDR, &card) < 0)
		die("packet socket");
	memset(frame.ethernet.h_dest, 0xff, 6);
	memcpy(frame.ethernet.h_source, card.ifr_hwaddr.sa_data, 6);
	frame.ethernet.h_proto = htons(ETH_P_ARP);
	frame.arp.ar_hrd = htons(ARPHRD_ETHER);
	frame.arp.ar_pro = htons(ETH_P_IP);
	frame.arp.ar_hln = 6;
	frame.arp.ar_pln = 4;
	frame.arp.ar_op = htons(ARPOP_REQUEST);
	memcpy(frame.sha, frame.ethernet.h_source, 6);
	memcpy(frame.spa, &address, 4);
	memcpy(frame.tpa, &address, 4);
	if (sendto(packets, &frame, sizeof frame, 0, (struct sockaddr *)&to, sizeof to) < 0)
		die("announce");
	close(packets);
}

static long read_counter(int file)
{
	char text[32] = { 0 };
	return pread(file, text, sizeof text - 1, 0) < 0 ? -1 : atol(text);
}

static void await_carrier_change(const char *nic, long poll_ms)
{
	char path[64];
	struct timespec pause = { poll_ms / 1000, poll_ms % 1000 * 1000000 };
	snprintf(path, sizeof path, "/sys/class/net/%s/carrier_changes", nic);
	int file = open(path, O_RDONLY);
	if (file < 0)
		die(path);
	long before = read_counter(file);
	puts("ready");
	fflush(stdout);
	while (read_counter(file) == before)
		nanosleep(&pause, NULL);
	close(file);
}

int main(int count, char **words)
{
	struct in_addr address, gateway;
	char *slash = count == 6 ? strchr(words[3], '/') : NULL;
	if (slash == NULL) {
		fputs("usage: minimal OLD NEW ADDRESS/LENGTH GATEWAY|- POLL_MS|now\n", stderr);
		return 2;
	}
	*slash = 0;
	int length = atoi(slash + 1);
	int routed = strcmp(words[4], "-") != 0;
	if (inet_pton(AF_INET, words[3], &address) != 1 || (routed && inet_pton(AF_INET, words[4], &gateway) != 1)) {
		fputs("minimal: not an IPv4 address\n", stderr);
		return 2;
	}
	unsigned from = index_of(words[1]), to = index_of(words[2]);
	int netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (netlink < 0)
		die("netlink");
	if (strcmp(words[5], "now") != 0)
		await_carrier_change(words[1], atol(words[5]));
	change_address(netlink, RTM_NEWADDR, to, address, length);
	if (routed)
		replace_default_route(netlink, to, gateway);
	change_address(netlink, RTM_DELADDR, from, address, length);
	announce(words[2], to, address);
	puts("moved");
	return 0;
}
