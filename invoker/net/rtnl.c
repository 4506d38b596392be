/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/net/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define MESSAGE_MAX 1024
#define ANSWER_MAX 32768

/* A message being written; its sizes are known, so it always fits. */
struct message {
    union {
        struct nlmsghdr head;
        char bytes[MESSAGE_MAX];
    };
};

/* ---- writing */

static void *body_add(struct message *m, const void *body, size_t len)
{
    void *at = m->bytes + NLMSG_ALIGN(m->head.nlmsg_len);

    memcpy(at, body, len);
    m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + (uint32_t)len;
    return at;
}

static void message_init(struct message *m, uint16_t type, uint16_t flags, const void *body, size_t len)
{
    memset(m, 0, sizeof(*m));
    m->head.nlmsg_len = NLMSG_LENGTH(0);
    m->head.nlmsg_type = type;
    m->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    body_add(m, body, len);
}

static struct rtattr *attr_begin(struct message *m, uint16_t type)
{
    const struct rtattr attr = {RTA_LENGTH(0), type};

    return body_add(m, &attr, sizeof(attr));
}

static void attr_end(struct message *m, struct rtattr *attr)
{
    attr->rta_len = (uint16_t)(m->bytes + m->head.nlmsg_len - (char *)attr);
}

static void attr_add(struct message *m, uint16_t type, const void *value, size_t len)
{
    struct rtattr *attr = attr_begin(m, type);

    body_add(m, value, len);
    attr_end(m, attr);
}

static void attr_add_u32(struct message *m, uint16_t type, uint32_t value)
{
    attr_add(m, type, &value, sizeof(value));
}

/* ---- sending, and what comes back */

int rtnl_open(struct rtnl *ret, struct error *err)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0) {
        int saved = errno;

        closep(&fd);
        return error_set_errno(err, ERR_SYSTEM, saved, "opening rtnetlink");
    }
    *ret = (struct rtnl){fd, 0};
    return 0;
}

void rtnl_close(struct rtnl *rt)
{
    closep(&rt->fd);
}

typedef void answer_fn(const struct nlmsghdr *head, void *arg);

/* The errno of an answer, 0 when it is good or tells something; *done: it was the last one. */
static int take_answers(struct rtnl *rt, const char *bytes, size_t len, answer_fn *each, void *arg,
                        bool *done)
{
    const struct nlmsghdr *head = (const void *)bytes;

    for (; NLMSG_OK(head, len); head = NLMSG_NEXT(head, len)) {
        if (head->nlmsg_seq != rt->seq)
            continue;
        if (head->nlmsg_type == NLMSG_ERROR) {
            *done = true;
            return -((const struct nlmsgerr *)NLMSG_DATA(head))->error;
        }
        if (head->nlmsg_type == NLMSG_DONE) {
            *done = true;
            return 0;
        }
        if (each)
            each(head, arg);
        if (!(head->nlmsg_flags & NLM_F_MULTI)) {
            *done = true;
            return 0;
        }
    }
    return 0;
}

/* Returns 0 or an errno. */
static int exchange(struct rtnl *rt, struct message *m, answer_fn *each, void *arg)
{
    _Alignas(struct nlmsghdr) char bytes[ANSWER_MAX];
    bool done = false;
    ssize_t n;
    int r = 0;

    m->head.nlmsg_seq = ++rt->seq;
    if (send(rt->fd, m->bytes, m->head.nlmsg_len, 0) < 0)
        return errno;
    while (!done) {
        n = recv(rt->fd, bytes, sizeof(bytes), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        r = take_answers(rt, bytes, (size_t)n, each, arg, &done);
    }
    return r;
}

static int run(struct rtnl *rt, struct message *m, const char *what, const char *name,
               struct error *err)
{
    int sys_errno;

    m->head.nlmsg_flags |= NLM_F_ACK;
    sys_errno = exchange(rt, m, NULL, NULL);
    return sys_errno ? error_set_errno(err, ERR_SYSTEM, sys_errno, "%s %s", what, name) : 0;
}

/* ---- links */

static void add_end(struct message *m, const struct rtnl_end *end, const uint8_t mac[6], uint32_t mtu)
{
    attr_add(m, IFLA_IFNAME, end->name, strlen(end->name) + 1);
    attr_add(m, IFLA_ADDRESS, mac, 6);
    attr_add_u32(m, IFLA_MTU, mtu);
}

static struct ifinfomsg end_info(uint32_t index, unsigned flags)
{
    return (struct ifinfomsg){.ifi_index = (int)index, .ifi_flags = flags, .ifi_change = flags};
}

int rtnl_add_veth(struct rtnl *rt, const struct rtnl_end *near, const struct rtnl_end *far, int far_ns,
                  const uint8_t mac[6], uint32_t mtu, struct error *err)
{
    struct ifinfomsg info = end_info(near->index, IFF_UP | IFF_NOARP);
    struct rtattr *link, *data, *peer;
    struct message m;

    message_init(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
    add_end(&m, near, mac, mtu);
    link = attr_begin(&m, IFLA_LINKINFO);
    attr_add(&m, IFLA_INFO_KIND, "veth", 4);
    data = attr_begin(&m, IFLA_INFO_DATA);
    peer = attr_begin(&m, VETH_INFO_PEER);
    info = end_info(far->index, IFF_NOARP); /* up before it has its other end: ENOTCONN */
    body_add(&m, &info, sizeof(info));
    add_end(&m, far, mac, mtu);
    attr_add_u32(&m, IFLA_NET_NS_FD, (uint32_t)far_ns);
    attr_end(&m, peer);
    attr_end(&m, data);
    attr_end(&m, link);
    return run(rt, &m, "adding the link", near->name, err);
}

int rtnl_delete_link(struct rtnl *rt, const char *name, struct error *err)
{
    const struct ifinfomsg info = {0};
    struct message m;

    message_init(&m, RTM_DELLINK, 0, &info, sizeof(info));
    attr_add(&m, IFLA_IFNAME, name, strlen(name) + 1);
    return run(rt, &m, "removing the link", name, err);
}

int rtnl_set_up(struct rtnl *rt, uint32_t index, struct error *err)
{
    const struct ifinfomsg info = end_info(index, IFF_UP);
    struct message m;

    message_init(&m, RTM_NEWLINK, 0, &info, sizeof(info));
    return run(rt, &m, "starting a link", "", err);
}

uint32_t rtnl_index(const char *name)
{
    return if_nametoindex(name);
}

/* ---- addresses and routes */

int rtnl_add_address(struct rtnl *rt, uint32_t index, uint32_t address, struct error *err)
{
    const struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = index};
    const uint32_t net = htonl(address);
    struct message m;

    message_init(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
    attr_add(&m, IFA_LOCAL, &net, sizeof(net));
    attr_add(&m, IFA_ADDRESS, &net, sizeof(net));
    return run(rt, &m, "giving a link its address", "", err);
}

int rtnl_add_route(struct rtnl *rt, uint32_t index, struct cidr to, struct error *err)
{
    const struct rtmsg info = {.rtm_family = AF_INET,
                               .rtm_dst_len = to.bits,
                               .rtm_table = RT_TABLE_MAIN,
                               .rtm_protocol = RTPROT_STATIC,
                               .rtm_scope = RT_SCOPE_LINK,
                               .rtm_type = RTN_UNICAST};
    const uint32_t net = htonl(to.addr);
    char text[CIDR_TEXT_MAX];
    struct message m;

    message_init(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
    if (to.bits)
        attr_add(&m, RTA_DST, &net, sizeof(net));
    attr_add_u32(&m, RTA_OIF, index);
    cidr_format(to, text);
    return run(rt, &m, "adding the route", text, err);
}

static const void *find_attr(const struct nlmsghdr *head, size_t body, uint16_t type, size_t len)
{
    const struct rtattr *attr = (const void *)((const char *)NLMSG_DATA(head) + NLMSG_ALIGN(body));
    long left = (long)head->nlmsg_len - (long)NLMSG_SPACE(body);

    for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left))
        if (attr->rta_type == type && RTA_PAYLOAD(attr) >= len)
            return RTA_DATA(attr);
    return NULL;
}

struct each_route {
    void (*fn)(struct cidr to, void *arg);
    void *arg;
};

static void on_route(const struct nlmsghdr *head, void *arg)
{
    const struct each_route *each = arg;
    const struct rtmsg *info = NLMSG_DATA(head);
    const void *dst = find_attr(head, sizeof(*info), RTA_DST, 4);
    uint32_t net;

    if (head->nlmsg_type != RTM_NEWROUTE || info->rtm_family != AF_INET || !dst)
        return;
    memcpy(&net, dst, sizeof(net));
    each->fn((struct cidr){ntohl(net), info->rtm_dst_len}, each->arg);
}

int rtnl_each_route(struct rtnl *rt, void (*fn)(struct cidr to, void *arg), void *arg,
                    struct error *err)
{
    const struct rtmsg info = {.rtm_family = AF_INET};
    struct each_route each = {fn, arg};
    struct message m;
    int sys_errno;

    message_init(&m, RTM_GETROUTE, NLM_F_DUMP, &info, sizeof(info));
    sys_errno = exchange(rt, &m, on_route, &each);
    return sys_errno ? error_set_errno(err, ERR_SYSTEM, sys_errno, "reading the routes") : 0;
}

static void on_found(const struct nlmsghdr *head, void *arg)
{
    const void *oif = find_attr(head, sizeof(struct rtmsg), RTA_OIF, 4);

    if (head->nlmsg_type == RTM_NEWROUTE && oif)
        memcpy(arg, oif, sizeof(uint32_t));
}

static void on_mtu(const struct nlmsghdr *head, void *arg)
{
    const void *mtu = find_attr(head, sizeof(struct ifinfomsg), IFLA_MTU, 4);

    if (head->nlmsg_type == RTM_NEWLINK && mtu)
        memcpy(arg, mtu, sizeof(uint32_t));
}

int rtnl_find_route(struct rtnl *rt, uint32_t address, char ret_name[IF_NAMESIZE], uint32_t *ret_mtu,
                    struct error *err)
{
    const struct rtmsg info = {.rtm_family = AF_INET, .rtm_dst_len = 32};
    const uint32_t net = htonl(address);
    struct ifinfomsg link = {0};
    uint32_t index = 0, mtu = 0;
    struct message m;
    int sys_errno;

    message_init(&m, RTM_GETROUTE, 0, &info, sizeof(info));
    attr_add(&m, RTA_DST, &net, sizeof(net));
    sys_errno = exchange(rt, &m, on_found, &index);
    if (!sys_errno && index) {
        link.ifi_index = (int)index;
        message_init(&m, RTM_GETLINK, 0, &link, sizeof(link));
        sys_errno = exchange(rt, &m, on_mtu, &mtu);
    }
    if (sys_errno || !index || !if_indextoname(index, ret_name))
        return error_set_errno(err, ERR_SYSTEM, sys_errno ? sys_errno : ENETUNREACH,
                               "looking for the route to the internet");
    *ret_mtu = mtu;
    return 0;
}
