/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "session/registry.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lendi_registered list = {&list, &list, 0};
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void before_fork(void)
{
	(void)pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	(void)pthread_mutex_unlock(&lock);
}

static void close_all_in_child(void)
{
	struct lendi_registered *one;

	for (one = list.next; one != &list; one = one->next)
		one->close_in_child(one);
	(void)pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
	(void)pthread_atfork(before_fork, after_fork, close_all_in_child);
}

void lendi_registry_watch_forks(void)
{
	(void)pthread_once(&once, watch_forks);
}

void lendi_registry_add(struct lendi_registered *self)
{
	lendi_registry_watch_forks();
	(void)pthread_mutex_lock(&lock);
	self->next = list.next;
	self->previous = &list;
	list.next->previous = self;
	list.next = self;
	(void)pthread_mutex_unlock(&lock);
}

void lendi_registry_remove(struct lendi_registered *self)
{
	(void)pthread_mutex_lock(&lock);
	self->next->previous = self->previous;
	self->previous->next = self->next;
	(void)pthread_mutex_unlock(&lock);
}
