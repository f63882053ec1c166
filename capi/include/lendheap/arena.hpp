/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_HPP
#define LENDHEAP_ARENA_HPP

/*
 * An arena as a C++ object: lend::arena owns one, lend::borrowed has another process's open.
 *
 *	lend::arena a("roads");
 *	lend::scope in(a);
 *	using graph = lend::fixed::map<lend::fixed::string, lend::fixed::vector<int>>;
 *	graph &g = *a.construct<graph>("g");
 *	g["Bonn"].push_back(7);
 *	a.share("roads");
 *
 *	const graph &g = *lend::open("roads").find<graph>("g");         another process
 *
 * Objects have names (roots, lendheap/arena.h) and types, which are checked on both sides by
 * lend::type_of<T>(); what cannot be shared at all (lendheap/traits.hpp) does not compile.
 *
 * Errors are thrown as lend::error, want of memory as lend::bad_alloc. Threads: as in
 * lendheap/arena.h; several may construct and find at the same time. Destroying an object that
 * another thread or process still uses is for the application to exclude.
 */
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <utility>

#include <lendheap/alloc.h>
#include <lendheap/error.hpp>
#include <lendheap/scope.hpp>
#include <lendheap/share.h>
#include <lendheap/traits.hpp>
#include <lendheap/type.hpp>
#include <lendheap/unique.hpp>

namespace lend
{

/*
 * How an arena is to be made, where its name alone does not say it:
 *
 *	lend::arena a(lend::arena_options("roads").quota_bytes(1u << 30).cache(LEND_CACHE_LEAN));
 *
 * The fields are those of struct lend_arena_options. Strings must live until the arena is made.
 */
class arena_options
{
      public:
	arena_options(const char *name = nullptr) noexcept
	{
		options_.name = name;
	}

	arena_options(const lend_arena_options &options) noexcept : options_(options)
	{
	}

	arena_options &reservation_bytes(std::uint64_t bytes) noexcept
	{
		options_.reservation_bytes = bytes;
		return *this;
	}

	arena_options &quota_bytes(std::uint64_t bytes) noexcept
	{
		options_.quota_bytes = bytes;
		return *this;
	}

	arena_options &commit(lend_commit when) noexcept
	{
		options_.commit = when;
		return *this;
	}

	arena_options &cache(lend_cache_profile profile) noexcept
	{
		options_.cache = profile;
		return *this;
	}

	arena_options &huge_pages(lend_huge_pages when) noexcept
	{
		options_.huge_pages = when;
		return *this;
	}

	/* Memory from unnamed files there: LEND_BACKING_DIRECTORY. */
	arena_options &directory(const char *path) noexcept
	{
		options_.backing = LEND_BACKING_DIRECTORY;
		options_.directory = path;
		return *this;
	}

	const lend_arena_options &get() const noexcept
	{
		return options_;
	}

      private:
	lend_arena_options options_ = {};
};

class arena;
class borrowed;

/* They are handles of this process. */
template <> inline constexpr sharing sharing_of<arena> = sharing::refused;
template <> inline constexpr sharing sharing_of<borrowed> = sharing::refused;

namespace detail
{

/* Relocated, and T would need its raw pointers. */
[[noreturn]] inline void fail_relocated(
	const lend_arena *arena, const char *name, const char *type)
{
	char sentence[320];

	std::snprintf(sentence, sizeof(sentence),
		"root \"%.63s\": arena \"%.63s\" is relocated here, where raw pointers of a "
		"%.70s "
		"point astray",
		name, lend_arena_name(arena), type);
	throw error(-EXDEV, sentence);
}

/* The object of a name; nullptr when there is none. Throws when it is another type's. */
template <class T> const T *find_root(const lend_arena *arena, const char *name)
{
	require_shareable<T>();
	const lend_type type = type_of<T>();
	const void *object = nullptr;
	const int err = lend_root_get(arena, name, type, &object);

	if (err == -ENOENT)
		return nullptr;
	check(err);
	if (!is_relocatable<T>::value && !lend_arena_is_fixed(arena))
		fail_relocated(arena, name, type.name);
	return static_cast<const T *>(object);
}

} // namespace detail

/* An arena that this process made and owns. It moves, and destroys the arena at its end. */
class [[nodiscard]] arena
{
      public:
	/* From a name, from options, or nameless. Throws lend::error. */
	explicit arena(const arena_options &options = {})
	{
		detail::check(lend_arena_create(&options.get(), &handle_));
	}

	/* Take over an arena made in C. */
	explicit arena(lend_arena *handle) noexcept : handle_(handle)
	{
	}

	arena(arena &&other) noexcept : handle_(other.release())
	{
	}

	arena &operator=(arena &&other) noexcept
	{
		arena old(std::exchange(handle_, other.release()));

		return *this;
	}

	/* As lend_arena_destroy(); a forked child leaves it to its parent. */
	~arena()
	{
		if (handle_)
			(void)lend_arena_destroy(handle_);
	}

	/* For all of C's functions. nullptr after a move or release(). */
	lend_arena *get() const noexcept
	{
		return handle_;
	}

	/* The arena is the caller's, to be given to lend_arena_destroy(). */
	[[nodiscard]] lend_arena *release() noexcept
	{
		return std::exchange(handle_, nullptr);
	}

	const char *name() const noexcept
	{
		return lend_arena_name(handle_);
	}

	lend_identity identity() const noexcept
	{
		return lend_arena_identity(handle_);
	}

	/* Serve borrowers under a name, as lend_share() does. */
	void share(const char *name)
	{
		detail::check(lend_share(handle_, name));
	}

	void unshare()
	{
		detail::check(lend_unshare(handle_));
	}

	/* Return what is free to the system at once. */
	void purge()
	{
		detail::check(lend_arena_purge(handle_));
	}

	struct lend_arena_stats stats() const
	{
		struct lend_arena_stats stats = {};

		stats.struct_bytes = sizeof(stats);
		detail::check(lend_arena_stats(handle_, &stats));
		return stats;
	}

	/*
	 * Make a T of these arguments and name it. Its constructor runs in a scope of this arena,
	 * and the name appears when it is done. Throws what the constructor throws, lend::bad_alloc,
	 * or lend::error: EEXIST the name is taken, or another of lend_root_add(). Then nothing is
	 * left behind. Give it back with destroy<T>(name).
	 */
	template <class T, class... Args> T *construct(const char *name, Args &&...args) &
	{
		scope in(handle_);
		unique<T> object = lend::make_unique<T>(std::forward<Args>(args)...);

		detail::check(lend_root_add(handle_, name, type_of<T>(), object.get()));
		return object.release();
	}

	/* The T of this name; nullptr when there is none. Throws EPROTOTYPE when it is no T. */
	template <class T> T *find(const char *name) &
	{
		return const_cast<T *>(detail::find_root<T>(handle_, name));
	}

	template <class T> const T *find(const char *name) const &
	{
		return detail::find_root<T>(handle_, name);
	}

	/* The T of this name or else a new one; threads that race all get the one named first. */
	template <class T, class... Args>
	T *find_or_construct(const char *name, Args &&...args) &
	{
		T *found = find<T>(name);

		if (found)
			return found;
		scope in(handle_);
		unique<T> object = lend::make_unique<T>(std::forward<Args>(args)...);
		int err;

		/* Taken, and then not there: another thread has just destroyed it. */
		while ((err = lend_root_add(handle_, name, type_of<T>(), object.get())) ==
			-EEXIST)
			if ((found = find<T>(name)))
				return found;
		detail::check(err);
		return object.release();
	}

	/*
	 * Forget the name and destroy its T. false when there is none; throws as find() does. Of
	 * threads that destroy one name and construct it anew, each T is destroyed by one.
	 */
	template <class T> bool destroy(const char *name)
	{
		detail::require_shareable<T>();
		void *object = nullptr;
		const int err = lend_root_take(handle_, name, type_of<T>(), &object);

		if (err == -ENOENT)
			return false;
		detail::check(err);
		lend::destroy(static_cast<T *>(object));
		return true;
	}

	/* A T without a name, made as construct() does. Give it back with lend::destroy(). */
	template <class T, class... Args> [[nodiscard]] T *make(Args &&...args) &
	{
		scope in(handle_);

		return lend::make_unique<T>(std::forward<Args>(args)...).release();
	}

	/* Of a temporary: what they give would be gone with it. */
	template <class T, class... Args> T *construct(const char *, Args &&...) && = delete;
	template <class T> const T *find(const char *) const && = delete;
	template <class T, class... Args>
	T *find_or_construct(const char *, Args &&...) && = delete;
	template <class T, class... Args> T *make(Args &&...) && = delete;

      private:
	lend_arena *handle_ = nullptr;
};

/* Another process's arena, open for reading. It moves, and closes the arena at its end. */
class [[nodiscard]] borrowed
{
      public:
	/* Take over what lend_open() or a session gave. */
	explicit borrowed(const lend_arena *handle) noexcept : handle_(handle)
	{
	}

	borrowed(borrowed &&other) noexcept : handle_(other.release())
	{
	}

	borrowed &operator=(borrowed &&other) noexcept
	{
		borrowed old(std::exchange(handle_, other.release()));

		return *this;
	}

	/* As lend_close(): what find() gave is gone after. */
	~borrowed()
	{
		if (handle_)
			(void)lend_close(handle_);
	}

	/* For all of C's functions. nullptr after a move or release(). */
	const lend_arena *get() const noexcept
	{
		return handle_;
	}

	/* The arena is the caller's, to be given to lend_close(), or open for good. */
	const lend_arena *release() noexcept
	{
		return std::exchange(handle_, nullptr);
	}

	const char *name() const noexcept
	{
		return lend_arena_name(handle_);
	}

	lend_identity identity() const noexcept
	{
		return lend_arena_identity(handle_);
	}

	/* Is it where its owner has it, so that raw pointers hold? */
	bool is_fixed() const noexcept
	{
		return lend_arena_is_fixed(handle_) != 0;
	}

	/*
	 * The T of this name; nullptr when there is none. Throws lend::error: EPROTOTYPE it is no T,
	 * EXDEV the arena is relocated and T is not lend::is_relocatable, or another of
	 * lend_root_get(). Valid while this borrowed lives.
	 */
	template <class T> const T *find(const char *name) const &
	{
		return detail::find_root<T>(handle_, name);
	}

	/*
	 * The same of a temporary, as in lend::open("roads").find<graph>("g"): when there is such a
	 * T, the arena stays open for the rest of the process, so the pointer holds.
	 */
	template <class T> const T *find(const char *name) &&
	{
		const T *found = detail::find_root<T>(handle_, name);

		if (found)
			(void)release();
		return found;
	}

      private:
	const lend_arena *handle_;
};

/* Milliseconds that lend::open() waits for an arena to be shared, unless told. */
inline constexpr std::int64_t open_ms = 5000;

/* Borrow the arena shared under a name, as lend_open() does; the result has its error. */
inline result<borrowed> try_open(
	const char *name, lend_deadline deadline = lend_deadline_in_ms(open_ms)) noexcept
{
	const lend_arena *handle = nullptr;
	const int err = lend_open(name, deadline, &handle);

	if (err)
		return result<borrowed>::failure(err);
	return borrowed(handle);
}

/* The same; throws lend::error. */
inline borrowed open(const char *name, lend_deadline deadline = lend_deadline_in_ms(open_ms))
{
	return try_open(name, deadline).value();
}

} // namespace lend

#endif /* LENDHEAP_ARENA_HPP */
