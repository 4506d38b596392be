/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumer.c - prints all records that a topic holds now, for tests:
 *
 *   kafka-consumer HOST:PORT TOPIC
 *
 * One line a record: partition, offset, key and value, separated by tabs. Reads every partition
 * from its first offset to the end that it had at the start. Exit status 1 when that takes over a minute.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DEADLINE_S 60

static void die(const char *what, const char *why)
{
    fprintf(stderr, "kafka-consumer: %s: %s\n", what, why);
    exit(1);
}

static rd_kafka_t *consumer_new(const char *brokers)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers}, {"group.id", "test"},
        {"enable.auto.commit", "false"}, {"enable.partition.eof", "true"},
        {"auto.offset.reset", "error"}, {"check.crcs", "true"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[512];
    rd_kafka_t *rk;
    size_t i;

    for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why)))
            die(settings[i][0], why);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!rk)
        die("starting", why);
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

/* Assigns all partitions from their beginning; returns how many there are. */
static int assign_all(rd_kafka_t *rk, const char *topic)
{
    const struct rd_kafka_metadata *meta;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, rkt, &meta, 30000);
    rd_kafka_topic_partition_list_t *list;
    int i, count;

    if (err)
        die("metadata", rd_kafka_err2str(err));
    count = meta->topics[0].partition_cnt;
    list = rd_kafka_topic_partition_list_new(count);
    for (i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    err = rd_kafka_assign(rk, list);
    if (err)
        die("assign", rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(meta);
    rd_kafka_topic_destroy(rkt);
    return count;
}

int main(int argc, char **argv)
{
    time_t end = time(NULL) + DEADLINE_S;
    rd_kafka_message_t *m;
    rd_kafka_t *rk;
    int left;

    if (argc != 3)
        die("usage", "kafka-consumer HOST:PORT TOPIC");
    rk = consumer_new(argv[1]);
    left = assign_all(rk, argv[2]);
    while (left > 0) {
        if (time(NULL) > end)
            die("reading", "it takes too long");
        m = rd_kafka_consumer_poll(rk, 500);
        if (!m)
            continue;
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            left--;
        else if (m->err)
            fprintf(stderr, "kafka-consumer: %s\n", rd_kafka_message_errstr(m));
        else
            printf("%" PRId32 "\t%" PRId64 "\t%.*s\t%.*s\n", m->partition, m->offset,
                   (int)m->key_len, (const char *)m->key, (int)m->len, (const char *)m->payload);
        rd_kafka_message_destroy(m);
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return 0;
}
