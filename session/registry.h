/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SESSION_REGISTRY_H
#define LENDHEAP_SESSION_REGISTRY_H

/*
 * All sessions and servers of this process, so that a forked child can close their FDs: a peer
 * must see our death, and the child must not speak in our name.
 */
struct lendi_registered {
	struct lendi_registered *next;
	struct lendi_registered *previous;
	void (*close_in_child)(struct lendi_registered *self); /* no locks, no messages */
};

/* Register the fork handlers; add does it too. A floor above calls it before registering its own. */
void lendi_registry_watch_forks(void);

void lendi_registry_add(struct lendi_registered *self);
void lendi_registry_remove(struct lendi_registered *self);

#endif /* LENDHEAP_SESSION_REGISTRY_H */
