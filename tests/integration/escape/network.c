/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: families that reach past the network namespace, addresses and sockets of others. */
#include "tests/integration/escape/escape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MS 1000

static int raw_socket(void) { return called(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)); }
static int raw_socket_6(void) { return called(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)); }
static int packet_socket(void) { return called(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))); }
static int packet_datagrams(void) { return called(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP))); }
/* Its addresses are the machine's, not the network namespace's: it leads to the hypervisor. */
static int vsock(void) { return called(socket(AF_VSOCK, SOCK_STREAM, 0)); }
static int kernel_crypto(void) { return called(socket(AF_ALG, SOCK_SEQPACKET, 0)); }
static int xdp_socket(void) { return called(socket(44 /* AF_XDP */, SOCK_RAW, 0)); }
static int bluetooth(void) { return called(socket(AF_BLUETOOTH, SOCK_RAW, 1)); }
static int can_bus(void) { return called(socket(AF_CAN, SOCK_RAW, 1)); }

static int change_interface(void)
{
    struct ifreq r = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r) < 0)
        return errno;
    r.ifr_flags = (short)(r.ifr_flags | IFF_PROMISC);
    return called(ioctl(fd, SIOCSIFFLAGS, &r));
}

/* Of one's own: with it, the source of packets could be a neighbour's. */
static int add_address(void)
{
    struct {
        struct nlmsghdr head;
        struct ifaddrmsg address;
        struct rtattr local;
        uint32_t value;
    } m = {.head = {sizeof(m), RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0},
           .address = {AF_INET, 8, 0, 0, 1},
           .local = {RTA_LENGTH(4), IFA_LOCAL},
           .value = htonl(0x0a000001)};
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
    } answer = {0};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0 || send(fd, &m, sizeof(m), 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
        return errno;
    return answer.error.error ? -answer.error.error : OPEN;
}

int connects_tcp(const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    const char *colon = strrchr(text, ':');
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
    struct pollfd p = {fd, POLLOUT, 0};
    socklen_t size = sizeof(error);
    char address[64];

    if (!colon || fd < 0)
        return OPEN; /* not a probe: fail loudly */
    snprintf(address, sizeof(address), "%.*s", (int)(colon - text), text);
    a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
        return OPEN;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return OPEN;
    if (errno != EINPROGRESS)
        return errno;
    if (poll(&p, 1, CONNECT_MS) <= 0)
        return ETIMEDOUT;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error ? error : OPEN;
}

int connects_unix(const char *name, bool abstract)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || len + 1 >= sizeof(a.sun_path))
        return OPEN;
    memcpy(a.sun_path + (abstract ? 1 : 0), name, len);
    return called(connect(fd, (struct sockaddr *)&a,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1)));
}

/* a function reaches the internet, and mail servers as little as on Lambda; the address is documentation's */
static int mail(void) { return connects_tcp("203.0.113.25:25"); }
static int private_10(void) { return connects_tcp("10.0.0.1:80"); }
static int private_172(void) { return connects_tcp("172.31.0.1:80"); }
static int private_192(void) { return connects_tcp("192.168.0.1:80"); }
static int shared_space(void) { return connects_tcp("100.64.0.1:80"); }
static int metadata(void) { return connects_tcp("169.254.169.254:80"); }
static int metadata_of_tasks(void) { return connects_tcp("169.254.170.2:80"); }
static int metadata_of_alibaba(void) { return connects_tcp("100.100.100.200:80"); }
static int metadata_of_azure(void) { return connects_tcp("168.63.129.16:80"); }
static int metadata_of_oracle(void) { return connects_tcp("192.0.0.192:80"); }
static int bridge(void) { return connects_tcp("172.17.0.1:22"); }
static int docker_socket(void) { return connects_unix("/var/run/docker.sock", false); }
static int containerd_socket(void)
{
    return connects_unix("/run/containerd/containerd.sock", false);
}
static int init_socket(void) { return connects_unix("/.hearth/run/init.sock", false); }

const struct probe network_probes[] = {
    {"raw socket", raw_socket},
    {"raw IPv6 socket", raw_socket_6},
    {"packet socket", packet_socket},
    {"packet datagram socket", packet_datagrams},
    {"vsock", vsock},
    {"AF_ALG", kernel_crypto},
    {"AF_XDP", xdp_socket},
    {"AF_BLUETOOTH", bluetooth},
    {"AF_CAN", can_bus},
    {"change an interface", change_interface},
    {"add an address", add_address},
    {"mail server", mail},
    {"private address, 10/8", private_10},
    {"private address, 172.16/12", private_172},
    {"private address, 192.168/16", private_192},
    {"shared address space", shared_space},
    {"metadata address of Alibaba", metadata_of_alibaba},
    {"metadata address of Azure", metadata_of_azure},
    {"metadata address of Oracle", metadata_of_oracle},
    {"metadata address", metadata},
    {"metadata address of tasks", metadata_of_tasks},
    {"address of Docker's bridge", bridge},
    {"Docker's socket", docker_socket},
    {"containerd's socket", containerd_socket},
    {"hearth-init's socket", init_socket},
    {NULL, NULL},
};
