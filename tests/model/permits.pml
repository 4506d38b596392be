/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permits.pml - the permit protocol of one pool (a function's reservation, or what the account has for functions without
 * one): gateways that hold leases, the ledger in Redis, invokers that fence.
 *
 * Claim: what runs is never more than the pool's limit, whatever is lost, late, doubled or dead; and after a lower limit
 * has been acknowledged nothing starts while that many run.
 *
 * The protocol in a few lines (docs/internals/permits.md has the reasons):
 *   - A gateway's lease is an absolute number with a sequence number: "gateway g holds h and wants n". The ledger takes
 *     what is newer than what it has: the lease becomes h, and n if that fits under the limit. So a message that is lost,
 *     late or doubled does no harm. A gateway counts more only when the ledger's answer is here, and less before it says so.
 *   - A dispatch carries the epoch and the gateway's incarnation; an invoker refuses what is older than it knows.
 *   - A gateway that is given up (dead, silent) is fenced at every invoker; what runs of it there is counted for the
 *     invoker from then on (orphans), and only when all have answered does its lease go.
 *   - A ledger that may have lost writes is closed; every invoker is raised to a new epoch and tells what it runs; only
 *     when all have answered, or must have ended everything (self-fencing), is that written down and opened.
 *   - A limit that goes down recalls the idle permits of every gateway; those that are in use are given up as they end.
 *
 * Each of these names removes one guard, and the model must then fail (tests/model/check.sh):
 *   NO_ATOMIC   the ledger looks and adds in two steps        NO_SEQ      old messages are taken for new ones
 *   NO_FENCE    invokers do not look at the epoch             NO_GATE     a ledger that lost writes goes on at once
 *   NO_WAIT     recovery does not wait for silent invokers    NO_ORPHANS  a gateway's lease is given away at once
 *   NO_BLOCK    a gateway is given up without being fenced    NO_RECALL   a lower limit is acknowledged at once
 *   NO_DRAIN    permits in use at a recall are used again     EARLY_COUNT the gateway counts before the answer
 *   NO_HELD     the ledger compares what is wanted with what it once gave, not with what the gateway still holds
 *   OLD_EPOCH   the new epoch is one more than the ledger's, which may have lost the newest
 * SPLIT adds an old Redis primary that goes on answering: the model must hold with it.
 * REACH_RECOVERED, REACH_FULL, REACH_LOWERED claim that something cannot be reached: must fail, or the claim is empty.
 *
 * Loss, death and silence need no steps of their own: a message that is never taken is lost, a gateway that takes no step
 * any more is dead, an invoker that recovery does not reach is cut off.
 */
#ifndef LIMIT
#define LIMIT 2
#endif
#ifndef STARTS
#define STARTS 3	/* dispatches of all gateways together */
#endif
#ifndef SEQS
#define SEQS 3		/* questions of each gateway */
#endif
#ifndef FAILOVERS
#define FAILOVERS 0
#endif
#ifndef REAPS
#define REAPS 0		/* gateways that are given up */
#endif
#ifndef CHANGES
#define CHANGES 0	/* how often the limit goes down by one */
#endif
#define NG 2
#define NI 2
#define CLOSED 255	/* the epoch of an invoker that fenced itself: it takes nothing */
#define AT(k, g) ((k) * NG + (g))

/* A copy of the ledger: the primary, its replica, a deposed primary. */
typedef Ledger {
	byte epoch, limit;
	byte lease[NG];		/* permits that the gateway may have */
	byte seq[NG];
	bool gone[NG];		/* this incarnation was given up */
	byte orphans[NI]	/* running at the invoker on nobody's lease */
};
Ledger now, replica, old;

bool closed, split;	/* recovery under way; @old still answers */
byte snapshots, started;
byte running;		/* everywhere: what the claim is about */
byte promised = LIMIT;	/* as the client last saw it acknowledged */

/* gateways */
byte held[NG], used[NG], epoch[NG], seq[NG];
bool asking[NG], draining[NG];

/* The newest question of each gateway, one before that which is late, the newest answer. */
typedef Message { bool there, drain; byte held, n, seq, epoch };
Message question[NG], late[NG], answer[NG];	/* an answer's n: so many more than the question held */

/* A dispatch under way. */
bool d_there[NG], d_before[NG];	/* [before]: sent before the lower limit was acknowledged */
byte d_epoch[NG], d_to[NG];

/* invokers */
byte runs[4];		/* [AT]: running on that gateway's lease */
byte orphans[NI], fence[NI];
bool blocked[4];	/* [AT]: this incarnation is refused */

inline sum(l, s) { s = l.lease[0] + l.lease[1] + l.orphans[0] + l.orphans[1] }

inline copy(to, from) {
	to.epoch = from.epoch; to.limit = from.limit;
	to.lease[0] = from.lease[0]; to.lease[1] = from.lease[1];
	to.seq[0] = from.seq[0]; to.seq[1] = from.seq[1];
	to.gone[0] = from.gone[0]; to.gone[1] = from.gone[1];
	to.orphans[0] = from.orphans[0]; to.orphans[1] = from.orphans[1]
}

inline move(to, from) {
	to.there = true; to.held = from.held; to.n = from.n; to.seq = from.seq; to.epoch = from.epoch; clear(from)
}
inline clear(m) { m.there = false; m.held = 0; m.n = 0; m.seq = 0; m.epoch = 0; m.drain = false }

/* What the ledger does with "gateway g holds m.held and wants to hold m.n": the Lua script. */
inline take(l, g, m, s) {
	if
#ifdef NO_SEQ
	:: m.epoch == l.epoch && !l.gone[g] ->
#else
	:: m.epoch == l.epoch && !l.gone[g] && m.seq > l.seq[g] ->
#endif
		l.seq[g] = m.seq;
#ifdef NO_HELD
		if :: m.n <= l.lease[g] -> l.lease[g] = m.n :: else -> skip fi;
#else
		if :: m.held < l.lease[g] -> l.lease[g] = m.held :: else -> skip fi;
#endif
		sum(l, s);
		if
		:: m.n > l.lease[g] && s - l.lease[g] + m.n <= l.limit -> l.lease[g] = m.n
		:: else -> skip
		fi;
		sum(l, s);
		answer[g].there = true; answer[g].n = (l.lease[g] > m.held -> l.lease[g] - m.held : 0); answer[g].seq = m.seq;
		answer[g].epoch = l.epoch; answer[g].drain = (s > l.limit);
		s = 0
	:: else -> skip
	fi;
	clear(m)
}

inline ask(g, w) {
	seq[g]++; asking[g] = true;
	if :: question[g].there -> move(late[g], question[g]) :: else -> skip fi;
	question[g].there = true; question[g].held = held[g]; question[g].n = w; question[g].seq = seq[g]; question[g].epoch = epoch[g]
}

proctype Gateway(byte g) {
end:	do
	/* asks for one more */
	:: atomic { !asking[g] && seq[g] < SEQS && held[g] == used[g] && held[g] < LIMIT && started < STARTS ->
		ask(g, held[g] + 1);
#ifdef EARLY_COUNT
		held[g]++
#endif
	}
	/* gives an idle one back: counted less first, then said */
	:: atomic { !asking[g] && seq[g] < SEQS && held[g] > used[g] -> held[g]--; ask(g, held[g]) }
	/* the answer is too long in coming: says what it holds, under a new number */
	:: atomic { asking[g] && !answer[g].there && seq[g] < SEQS -> ask(g, held[g]) }
	:: atomic { answer[g].there ->
		if
#ifdef NO_SEQ
		:: true ->
#else
		:: answer[g].seq == seq[g] && answer[g].epoch == epoch[g] ->
#endif
			asking[g] = false;
			if
#ifdef EARLY_COUNT
			:: true -> draining[g] = false
#else
			:: answer[g].n > 0 -> held[g] = held[g] + answer[g].n; draining[g] = false
#endif
			:: else -> skip
			fi;
			draining[g] = draining[g] || answer[g].drain
#ifndef NO_SEQ
		:: else -> skip
#endif
		fi;
		clear(answer[g]) }
	/* sends an invocation on its way */
	:: atomic { used[g] < held[g] && !d_there[g] && started < STARTS ->
		used[g]++; started++; d_there[g] = true; d_epoch[g] = epoch[g];
		if :: d_to[g] = 0 :: d_to[g] = 1 fi }
	/* hears of a newer epoch: nothing of what it held counts any more */
	:: atomic { !closed && epoch[g] < now.epoch && !now.gone[g] ->
		epoch[g] = now.epoch; held[g] = 0; used[g] = 0; asking[g] = false; draining[g] = false }
	od
}

/* The gateway of an invocation hears that it is over, or was refused. */
inline free_permit(g) {
	used[g] = (used[g] > 0 -> used[g] - 1 : 0);
#ifndef NO_DRAIN
	if :: draining[g] && held[g] > used[g] -> held[g] = used[g] :: else -> skip fi
#endif
}

proctype Invoker(byte k) {
	byte g;
end:	do
	:: atomic { (d_there[0] && d_to[0] == k) || (d_there[1] && d_to[1] == k) ->
		if :: d_there[0] && d_to[0] == k -> g = 0 :: d_there[1] && d_to[1] == k -> g = 1 fi;
		if
#ifndef NO_FENCE
		:: d_epoch[g] < fence[k] || blocked[AT(k, g)] ->
#else
		:: blocked[AT(k, g)] ->
#endif
			if :: d_epoch[g] == epoch[g] -> free_permit(g) :: else -> skip fi
		:: else ->
			assert(running < promised || d_before[g]);
			runs[AT(k, g)]++; running++;
			assert(running <= LIMIT);
#ifdef REACH_FULL
			assert(running < LIMIT || held[0] == 0 || held[1] == 0);
#endif
		fi;
		d_there[g] = false; d_before[g] = false; d_epoch[g] = 0; d_to[g] = 0; g = 0 }
	/* an invocation ends; its gateway's lease is free for the next one */
	:: atomic { runs[AT(k, 0)] > 0 -> runs[AT(k, 0)]--; running--; free_permit(0) }
	:: atomic { runs[AT(k, 1)] > 0 -> runs[AT(k, 1)]--; running--; free_permit(1) }
	:: atomic { orphans[k] > 0 -> orphans[k]--; running-- }
#if FAILOVERS > 0
	/* cut off for so long that it has ended everything, and takes nothing before it has heard the newest epoch */
	:: atomic { closed && fence[k] != CLOSED -> running = running - runs[AT(k, 0)] - runs[AT(k, 1)] - orphans[k];
		runs[AT(k, 0)] = 0; runs[AT(k, 1)] = 0; orphans[k] = 0; fence[k] = CLOSED }
	:: atomic { !closed && fence[k] == CLOSED -> fence[k] = now.epoch }
#endif
	od
}

/* What takes the questions of one gateway to the ledger. */
proctype Way(byte g) {
	byte s;
end:	do
#ifdef NO_ATOMIC
	:: atomic { question[g].there && question[g].epoch == now.epoch -> sum(now, s); s = s - now.lease[g] + question[g].n };
		atomic {
			if
			:: s <= now.limit && question[g].n > question[g].held -> now.lease[g] = question[g].n; answer[g].there = true; answer[g].n = question[g].n - question[g].held;
				answer[g].seq = question[g].seq; answer[g].epoch = now.epoch
			:: else -> skip
			fi;
			clear(question[g]); s = 0 }
#else
	:: atomic { !closed && question[g].there -> take(now, g, question[g], s) }
#endif
	:: atomic { !closed && late[g].there -> take(now, g, late[g], s) }
#ifdef SPLIT
	:: atomic { split && question[g].there -> take(old, g, question[g], s) }
#endif
	od
}

#if FAILOVERS > 0
/* What the replica knows when it is needed is what was so at some moment before. */
active proctype Replication() {
end:	do
	:: atomic { snapshots < FAILOVERS -> snapshots++; copy(replica, now) }
	od
}
#endif

/* Gateway g is given up: fenced at every invoker, what runs of it there counted for the invoker. */
inline give_up(g) {
#ifndef NO_ORPHANS
	k = 0;
	do
	:: k < NI -> atomic {
#ifndef NO_BLOCK
			blocked[AT(k, g)] = true;
#endif
			orphans[k] = orphans[k] + runs[AT(k, g)]; runs[AT(k, g)] = 0; now.orphans[k] = orphans[k]; k++ }
	:: else -> break
	od;
#endif
	atomic { now.lease[g] = 0; now.gone[g] = true; k = 0 }
}

active proctype Controller() {
	byte k, g, reaps, failovers, changes, newest, acc[NI];
end:	do
	/* an invoker tells how many of those that are counted for it are left */
	:: atomic { fence[0] != CLOSED && now.orphans[0] != orphans[0] -> now.orphans[0] = orphans[0] }
	:: atomic { fence[1] != CLOSED && now.orphans[1] != orphans[1] -> now.orphans[1] = orphans[1] }

#if REAPS > 0
	:: atomic { reaps < REAPS -> reaps++; if :: !now.gone[0] -> g = 0 :: !now.gone[1] -> g = 1 fi };
		give_up(g);
		g = 0
#endif

#if CHANGES > 0
	/* the client is told of a lower limit when no gateway has an idle permit left */
	:: atomic { changes < CHANGES && now.limit > 0 -> changes++; now.limit--; g = 0 };
#ifndef NO_RECALL
		do
		:: atomic { g < NG && now.gone[g] -> g++ }
		:: atomic { g < NG && !now.gone[g] ->
			held[g] = used[g]; seq[g]++; asking[g] = false; draining[g] = true;
			now.lease[g] = held[g]; now.seq[g] = seq[g]; g++ }
		:: g < NG && !now.gone[g] -> give_up(g); g++
		:: g == NG -> break
		od;
#endif
		atomic { promised = now.limit; g = 0; d_before[0] = d_there[0]; d_before[1] = d_there[1];
#ifdef REACH_LOWERED
			assert(running == 0 || started == STARTS)
#endif
		}
#endif

#if FAILOVERS > 0
	/* the primary is lost, and with it what the replica had not heard; a limit that was lost is not in force */
	:: atomic { failovers < FAILOVERS && snapshots > failovers -> failovers++;
#ifdef SPLIT
			copy(old, now); split = true;
#endif
			newest = (now.epoch > newest -> now.epoch : newest) + 1;
			copy(now, replica);
#ifdef OLD_EPOCH
			newest = now.epoch + 1;
#endif
			promised = (now.limit > promised -> now.limit : promised)
#ifndef NO_GATE
			; closed = true
#endif
		};
#ifndef NO_GATE
		do
		:: atomic { k < NI && fence[k] == CLOSED -> acc[k] = 0; k++ }
		:: atomic { k < NI -> fence[k] = newest;
			orphans[k] = orphans[k] + runs[AT(k, 0)] + runs[AT(k, 1)]; runs[AT(k, 0)] = 0; runs[AT(k, 1)] = 0;
			acc[k] = orphans[k]; k++ }
#ifdef NO_WAIT
		:: atomic { k < NI -> acc[k] = 0; k++ }
#endif
		:: k == NI -> break
		od;
		atomic {
			now.epoch = newest; now.lease[0] = 0; now.lease[1] = 0; now.seq[0] = 0; now.seq[1] = 0;
			now.orphans[0] = acc[0]; now.orphans[1] = acc[1]; acc[0] = 0; acc[1] = 0; k = 0; closed = false
		}
#endif
#endif
	od
}

#ifdef REACH_RECOVERED
active proctype Watch() { atomic { now.epoch > 0 && running == LIMIT && held[0] > 0 -> assert(false) } }
#endif

init {
	atomic {
		now.limit = LIMIT; copy(replica, now);
		run Gateway(0); run Gateway(1); run Way(0); run Way(1); run Invoker(0); run Invoker(1)
	}
}
