/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provisioned.pml - provisioned concurrency inside one pool: what is set aside for a version, what spills over, and how the
 * numbers change while everything runs. How one lease is granted, lost and fenced is permits.pml's affair: here a grant is
 * one step.
 *
 * A pool of LIMIT permits has three classes: plain, and one for each of two versions that an alias may point to. A class
 * has a limit; the limits add up to LIMIT. An invocation of a version takes a permit of its version's class, and when
 * there is none a plain one (it spills over); it gives back what it took.
 *
 * Claims: never more than LIMIT run; never more than its limit in a class, but for what ran when the limit went down; and
 * while the client has been told READY for n, an invocation of that version is never refused as long as fewer than n run.
 *
 * A permit moves from one class to another in this order: the limit that goes down is written, idle permits are recalled at
 * every gateway, the class drains to its new limit; only then the other limit goes up; only then READY.
 *
 * Each of these removes one guard, and the model must then fail (tests/model/check.sh):
 *   RAISE_FIRST  the other limit goes up before the class has drained     NO_RECALL    idle permits stay where they are
 *   WRONG_CLASS  what spilled over is given back to its version           READY_FIRST  READY before the limit went up
 *   STEAL        plain invocations may use what is set aside
 * REACH_SPILL, REACH_MOVED claim that something cannot be reached: must fail, or the claims are empty.
 */
#ifndef LIMIT
#define LIMIT 2
#endif
#ifndef STARTS
#define STARTS 4
#endif
#define NG 2
#define NC 3
#define PLAIN 0
#define AT(g, c) ((g) * NC + (c))

byte limit[NC], lease[NC];	/* lease: what all gateways hold of the class */
byte held[6], used[6];		/* [AT] */
byte running[NC], all;		/* by the class that the permit is of */
byte spilled[6];		/* [AT(g, class of the version)]: those of @used[PLAIN] that spilled over from it */
byte ready[NC];			/* what the client was told */
byte bound[NC];			/* the limit, once every gateway has heard that it went down */
byte started;

/* Gets a permit of class c for gateway g: from what it holds, else from the ledger. @ok: whether. */
inline obtain(g, c, ok) {
	if
	:: used[AT(g, c)] < held[AT(g, c)] -> ok = true
	:: else ->
		if
#ifdef STEAL
		:: lease[0] + lease[1] + lease[2] < LIMIT && (lease[c] < limit[c] || c == PLAIN) -> bound[c] = LIMIT;
#else
		:: lease[c] < limit[c] ->
#endif
			lease[c]++; held[AT(g, c)]++; ok = true
		/* nothing left: idle permits of the other gateway are recalled before anybody is refused */
		:: else ->
			if
			:: held[AT(1 - g, c)] > used[AT(1 - g, c)] && lease[c] <= limit[c] ->
				held[AT(1 - g, c)]--; held[AT(g, c)]++; ok = true
			:: else -> ok = false
			fi
		fi
	fi
}

inline begin(g, c) {
	assert(running[c] < bound[c]);
	used[AT(g, c)]++; running[c]++; all++; started++;
	assert(all <= LIMIT)
}

/* Gives back a permit of class c; over its limit the class shrinks. */
inline finish(g, c) {
	used[AT(g, c)]--; running[c]--; all--;
	if :: lease[c] > limit[c] -> lease[c]--; held[AT(g, c)]-- :: else -> skip fi
}

proctype Gateway(byte g) {
	bool ok;
	byte c;
end:	do
	:: atomic { started < STARTS ->
		if :: c = 0 :: c = 1 :: c = 2 fi;
		obtain(g, c, ok);
		if
		:: ok -> begin(g, c)
		:: !ok && c != PLAIN ->
			/* fewer run than were promised, and yet none is free? */
			assert(running[c] >= ready[c]);
			obtain(g, PLAIN, ok);
			if
			:: ok -> begin(g, PLAIN); spilled[AT(g, c)]++;
#ifdef REACH_SPILL
				assert(false)
#endif
			:: else -> skip
			fi
		:: else -> skip
		fi;
		ok = false; c = 0 }
	:: atomic { used[AT(g, 1)] > 0 -> finish(g, 1) }
	:: atomic { used[AT(g, 2)] > 0 -> finish(g, 2) }
	:: atomic { used[AT(g, PLAIN)] > spilled[AT(g, 1)] + spilled[AT(g, 2)] -> finish(g, PLAIN) }
	:: atomic { spilled[AT(g, 1)] > 0 -> c = 1; goto give_back }
	:: atomic { spilled[AT(g, 2)] > 0 -> c = 2; goto give_back }
	od;
give_back:
	atomic {
		spilled[AT(g, c)]--;
		finish(g, PLAIN);
#ifdef WRONG_CLASS
		if :: held[AT(g, PLAIN)] > used[AT(g, PLAIN)] -> held[AT(g, PLAIN)]--; held[AT(g, c)]++ :: else -> skip fi;
#endif
		c = 0
	}
	goto end
}

/* Moves n permits from class a to class b. */
inline shift(a, b, n) {
	atomic {
		ready[a] = (ready[a] > limit[a] - n -> limit[a] - n : ready[a]);
		limit[a] = limit[a] - n;
#ifdef READY_FIRST
		if :: b != PLAIN -> ready[b] = limit[b] + n :: else -> skip fi;
#endif
	}
#ifndef NO_RECALL
	g = 0;
	do
	:: g < NG -> atomic {
			do
			:: lease[a] > limit[a] && held[AT(g, a)] > used[AT(g, a)] -> held[AT(g, a)]--; lease[a]--
			:: else -> break
			od;
			g++ }
	:: else -> break
	od;
#endif
	atomic {
#ifndef RAISE_FIRST
#ifdef NO_RECALL
		running[a] <= limit[a] ->
#else
		lease[a] <= limit[a] ->
#endif
#endif
		bound[a] = limit[a]; limit[b] = limit[b] + n; bound[b] = bound[b] + n; g = 0
	}
	atomic { if :: b != PLAIN -> ready[b] = limit[b] :: else -> skip fi }
}

active proctype Controller() {
	byte g;
	atomic { limit[PLAIN] = LIMIT; bound[PLAIN] = LIMIT; run Gateway(0); run Gateway(1) }
	/* the alias has one of version 1; it moves to version 2; it has none any more */
	shift(PLAIN, 1, 1);
	shift(1, PLAIN, 1);
	shift(PLAIN, 2, 1);
#ifdef REACH_MOVED
	assert(running[2] == 0 || started == STARTS);
	atomic { running[2] == 1 && running[PLAIN] == 1 -> assert(false) }
#endif
	shift(2, PLAIN, 1)
}
