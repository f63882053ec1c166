/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_OFFER_H
#define LENDHEAP_TESTS_OFFER_H

/*
 * Lending an arena without a session: the FDs of an arena sent over a socket of two processes of
 * the test, and attached there. For tests linked with the internal library.
 */
#include "arena/arena.h"

enum { OFFER_CLAIMS_MAX = 16 };

struct offer {
	struct lend_identity identity;
	int data_fd;
	int claims[OFFER_CLAIMS_MAX];
	uint32_t claim_count;
};

/* The FDs of an arena this process owns or borrows, duplicated. */
void offer_make(const struct lend_arena *arena, struct offer *out_offer);

/* Close its FDs. */
void offer_drop(struct offer *offer);

/* Send a copy; the FDs stay the caller's. */
bool offer_send(int sock, const struct offer *offer);
bool offer_receive(int sock, struct offer *out_offer);

/* lendi_arena_attach(); on failure too the FDs have an owner: they are closed. */
int offer_attach(struct offer *offer, bool may_relocate, const struct lend_arena **out_arena);

/* The above for a whole arena, owner's side and borrower's side. */
bool offer_send_arena(int sock, const struct lend_arena *arena);
int offer_receive_arena(int sock, const struct lend_arena **out_arena);

#endif /* LENDHEAP_TESTS_OFFER_H */
