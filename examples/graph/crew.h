/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_CREW_H
#define GRAPH_CREW_H

/*
 * The processes that the conductor starts. Each is this program, executed anew in another role:
 * nothing is shared but what the library shares, and the kernel places each one's code, stack and
 * heap at other addresses. When the conductor goes, however it goes, the kernel kills them.
 *
 *	struct crew crew;
 *	struct member *owner;
 *
 *	crew_init(&crew, argc, argv, &progress);
 *	crew_start(&crew, ROLE_OWNER, 0, &owner);
 *	crew_await(&crew, owner, MESSAGE_LOADED, &message);
 *	crew_dismiss(&crew);
 */
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "message.h"
#include "progress.h"
#include "settings.h"

#define CREW_MEMBERS_MAX  (2 * SETTINGS_READERS_MAX + 4)
#define MEMBER_INBOX_MAX  8u
#define CREW_QUIT_SECONDS 20.0

struct member {
	enum role role;
	uint32_t index;
	pid_t pid;
	int control;
	double share; /* of the stage, as it told last */
	struct message inbox[MEMBER_INBOX_MAX];
	unsigned inbox_count;
};

struct crew {
	int argc;
	char **argv;
	struct progress *progress;
	struct member *members;
	unsigned count;
	int reference;    /* FDs that every member inherits */
	int owner_copies; /* the owner's end of the usual way */
	int copies;
	unsigned workers; /* members that work in this stage */
	int exit_status;  /* what to end with after a failure */
};

/* Make what members inherit, and catch SIGINT, SIGTERM and SIGHUP. 0, or errno and a sentence. */
int crew_init(struct crew *crew, int argc, char **argv, struct progress *progress);

/* Start a member. It stays the crew's. */
int crew_start(struct crew *crew, enum role role, uint32_t index, struct member **out_member);

/* Tell a member to do something. */
int crew_tell(struct crew *crew, struct member *member, enum message_kind kind);

/*
 * Wait until a member says this. Meanwhile progress of all is shown; a failure that any of them
 * reports, and a death, end the wait with an error, a sentence and crew->exit_status.
 */
int crew_await(struct crew *crew, struct member *member, enum message_kind kind,
	struct message *out_message);

/* Forget how far the members were, before a stage in which several work. */
void crew_restart_progress(struct crew *crew, unsigned worker_count);

/* Let a member, or all, end by themselves. 0, or an error when one ended badly. */
int crew_release(struct crew *crew, struct member *member);
int crew_dismiss(struct crew *crew);

/* Kill those that are left and free everything. */
void crew_fini(struct crew *crew);

/* The signal that asked us to end, or 0. */
int crew_signal(void);

#endif /* GRAPH_CREW_H */
