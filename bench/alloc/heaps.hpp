/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_HEAPS_HPP
#define LENDHEAP_BENCH_HEAPS_HPP

/*
 * The heaps that bench_alloc compares, all of one shape:
 *
 *	heap h;
 *	h.open();                          0 or -errno; then one or more threads
 *	auto t = h.enter();                what a thread holds while it allocates
 *	void *p = t.alloc(n); t.free(p, n);
 *	h.leave(t);
 *	h.purge(); h.usage(); h.close();
 *
 * Call paths. lendheap is called as its users call it: by name, through the PLT of the shared
 * library. glibc, jemalloc and mimalloc are called through a function pointer that the loop holds
 * in a register, which costs no more than a PLT entry. Boost's templates are compiled into the
 * loop, as its users would have it. Frees are told the size where the heap can use it
 * (lend_free_sized, sdallocx, Boost's node allocators have one size).
 *
 * jemalloc and mimalloc are loaded with dlopen(RTLD_LOCAL), so that they do not become the malloc
 * of this process, as linking them would make them.
 */
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <initializer_list>
#include <malloc.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include <lendheap/alloc.h>

#ifdef LEND_BENCH_BOOST
#include <boost/interprocess/allocators/cached_node_allocator.hpp>
#include <boost/interprocess/allocators/private_node_allocator.hpp>
#include <boost/interprocess/indexes/iset_index.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <boost/interprocess/mem_algo/simple_seq_fit.hpp>
#include <boost/version.hpp>
#endif

namespace contest
{

/* What a heap says of itself; a heap that cannot say reports zero and is measured from outside. */
struct heap_usage {
	uint64_t total_bytes; /* memory behind it, its own books included */
	uint64_t data_bytes;  /* of that, memory behind objects */
};

/* lendheap: the plain functions. */
template <uint32_t Profile> class lend_plain
{
      public:
	struct thread {
		lend_arena *arena;

		void *alloc(size_t bytes) const
		{
			return lend_alloc(arena, bytes);
		}
		void free(void *object, size_t bytes) const
		{
			lend_free_sized(arena, object, bytes);
		}
	};

	int open()
	{
		lend_arena_options options = {};

		options.struct_bytes = sizeof(options);
		options.name = "bench";
		options.cache = Profile;
		return lend_arena_create(&options, &arena_);
	}
	void close()
	{
		lend_arena_destroy(arena_);
	}
	thread enter()
	{
		return thread{arena_};
	}
	void leave(thread &)
	{
	}
	void purge()
	{
		lend_thread_flush();
		lend_arena_purge(arena_);
	}
	heap_usage usage() const
	{
		struct lend_arena_stats stats = {};

		stats.struct_bytes = sizeof(stats);
		if (lend_arena_stats(arena_, &stats) != 0)
			return {};
		return {stats.data_resident_bytes + stats.books_resident_bytes,
			stats.data_resident_bytes};
	}
	std::string note() const
	{
		return "";
	}

      protected:
	lend_arena *arena_ = nullptr;
};

/* lendheap: an explicit cache, opened by each thread. */
template <uint32_t Profile> class lend_handle : public lend_plain<Profile>
{
      public:
	struct thread {
		lend_cache *cache;

		void *alloc(size_t bytes) const
		{
			return lend_cache_alloc(cache, bytes);
		}
		void free(void *object, size_t bytes) const
		{
			lend_cache_free_sized(cache, object, bytes);
		}
	};

	thread enter()
	{
		lend_cache *cache = nullptr;

		if (lend_cache_open(this->arena_, &cache) != 0)
			abort();
		return thread{cache};
	}
	void leave(thread &t)
	{
		lend_cache_close(t.cache);
	}
};

/* malloc and free of this process; open() makes sure that they are glibc's. */
class glibc_heap
{
      public:
	struct thread {
		void *(*alloc_function)(size_t);
		void (*free_function)(void *);

		void *alloc(size_t bytes) const
		{
			return alloc_function(bytes);
		}
		void free(void *object, size_t) const
		{
			free_function(object);
		}
	};

	int open()
	{
		Dl_info info;

		alloc_ = reinterpret_cast<void *(*)(size_t)>(dlsym(RTLD_DEFAULT, "malloc"));
		free_ = reinterpret_cast<void (*)(void *)>(dlsym(RTLD_DEFAULT, "free"));
		if (!alloc_ || !free_ || !dladdr(reinterpret_cast<void *>(alloc_), &info))
			return -ENOSYS;
		if (std::string(info.dli_fname).find("libc.so") == std::string::npos)
			return -ENOSYS;
		return 0;
	}
	void close()
	{
	}
	thread enter()
	{
		return thread{alloc_, free_};
	}
	void leave(thread &)
	{
	}
	void purge()
	{
		malloc_trim(0);
	}
	heap_usage usage() const
	{
		return {};
	}
	std::string note() const
	{
		return std::string("glibc ") + gnu_get_libc_version();
	}

      private:
	void *(*alloc_)(size_t) = nullptr;
	void (*free_)(void *) = nullptr;
};

/* Load the first of some libraries beside this process's own symbols; NULL when none is there. */
inline void *load_library(std::initializer_list<const char *> names)
{
	for (const char *name : names) {
		void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);

		if (library)
			return library;
	}
	return nullptr;
}

template <class Function>
bool find_function(void *library, const char *name, Function *&function)
{
	function = reinterpret_cast<Function *>(dlsym(library, name));
	return function != nullptr;
}

/* Debian's jemalloc with its default options: malloc, and frees that are told the size. */
class jemalloc_heap
{
      public:
	struct thread {
		void *(*alloc_function)(size_t);
		void (*free_function)(void *, size_t, int);

		void *alloc(size_t bytes) const
		{
			return alloc_function(bytes);
		}
		void free(void *object, size_t bytes) const
		{
			free_function(object, bytes, 0);
		}
	};

	int open()
	{
		void *library = load_library({"libjemalloc.so.2"});

		if (!library)
			return -ENOENT;
		if (!find_function(library, "malloc", alloc_) ||
			!find_function(library, "sdallocx", free_) ||
			!find_function(library, "mallctl", control_))
			return -ENOSYS;
		return 0;
	}
	void close()
	{
	}
	thread enter()
	{
		return thread{alloc_, free_};
	}
	void leave(thread &)
	{
	}
	void purge()
	{
		control_("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
		control_("arena.4096.purge", nullptr, nullptr, nullptr, 0); /* of all arenas */
	}
	heap_usage usage() const
	{
		return {};
	}
	std::string note() const
	{
		const char *version = "";
		size_t bytes = sizeof(version);

		control_("version", &version, &bytes, nullptr, 0);
		return "jemalloc " + std::string(version).substr(0, 5);
	}

      private:
	void *(*alloc_)(size_t) = nullptr;
	void (*free_)(void *, size_t, int) = nullptr;
	int (*control_)(const char *, void *, size_t *, void *, size_t) = nullptr;
};

class mimalloc_heap
{
      public:
	using thread = glibc_heap::thread;

	int open()
	{
		void *library = load_library(
			{"libmimalloc.so.2.0", "libmimalloc.so.2", "libmimalloc.so"});

		if (!library)
			return -ENOENT;
		if (!find_function(library, "mi_malloc", alloc_) ||
			!find_function(library, "mi_free", free_) ||
			!find_function(library, "mi_collect", collect_) ||
			!find_function(library, "mi_version", version_))
			return -ENOSYS;
		return 0;
	}
	void close()
	{
	}
	thread enter()
	{
		return thread{alloc_, free_};
	}
	void leave(thread &)
	{
	}
	void purge()
	{
		collect_(true);
	}
	heap_usage usage() const
	{
		return {};
	}
	std::string note() const
	{
		int v = version_();

		return "mimalloc " + std::to_string(v / 100) + "." +
		       std::to_string(v / 10 % 10) + "." + std::to_string(v % 10);
	}

      private:
	void *(*alloc_)(size_t) = nullptr;
	void (*free_)(void *) = nullptr;
	void (*collect_)(bool) = nullptr;
	int (*version_)() = nullptr;
};

#ifdef LEND_BENCH_BOOST

constexpr size_t boost_segment_bytes = size_t{1} << 30; /* sparse */

/* Boost.Interprocess in a memfd: one of its memory algorithms, with or without its mutex. */
template <class Algorithm> class boost_heap
{
      public:
	using buffer = boost::interprocess::basic_managed_external_buffer<char, Algorithm,
		boost::interprocess::iset_index>;
	using manager = typename buffer::segment_manager;

	struct thread {
		manager *segment;

		void *alloc(size_t bytes) const
		{
			return segment->allocate(bytes, std::nothrow);
		}
		void free(void *object, size_t) const
		{
			segment->deallocate(object);
		}
	};

	int open()
	{
		int fd = memfd_create("boost", MFD_CLOEXEC);

		if (fd < 0)
			return -errno;
		if (ftruncate(fd, boost_segment_bytes) == 0)
			memory_ = mmap(nullptr, boost_segment_bytes, PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);
		::close(fd);
		if (memory_ == MAP_FAILED)
			return -ENOMEM;
		buffer_ =
			buffer(boost::interprocess::create_only, memory_, boost_segment_bytes);
		return 0;
	}
	void close()
	{
		munmap(memory_, boost_segment_bytes);
	}
	thread enter()
	{
		return thread{buffer_.get_segment_manager()};
	}
	void leave(thread &)
	{
	}
	void purge() /* Boost has nothing to give memory back with */
	{
	}
	heap_usage usage() const
	{
		return {};
	}
	std::string note() const
	{
		return "Boost " BOOST_LIB_VERSION;
	}

      protected:
	void *memory_ = MAP_FAILED;
	buffer buffer_;
};

using boost_mutex = boost::interprocess::mutex_family;
using boost_no_mutex = boost::interprocess::null_mutex_family;
template <class Mutex>
using boost_rbtree = boost_heap<boost::interprocess::rbtree_best_fit<Mutex>>;
template <class Mutex>
using boost_seq_fit = boost_heap<boost::interprocess::simple_seq_fit<Mutex>>;

struct boost_object {
	unsigned char bytes[64];
};

/* Boost's allocators for objects of one size, over the red-black tree. */
template <class Mutex, template <class, class> class Node>
class boost_node_heap : public boost_rbtree<Mutex>
{
      public:
	using allocator = Node<boost_object, typename boost_rbtree<Mutex>::manager>;

	struct thread {
		allocator *nodes;

		void *alloc(size_t) const
		{
			return boost::interprocess::ipcdetail::to_raw_pointer(
				nodes->allocate_one());
		}
		void free(void *object, size_t) const
		{
			nodes->deallocate_one(static_cast<boost_object *>(object));
		}
	};

	thread enter()
	{
		return thread{new allocator(this->buffer_.get_segment_manager())};
	}
	void leave(thread &t)
	{
		delete t.nodes;
	}
};

template <class Object, class Manager>
using boost_private_node = boost::interprocess::private_node_allocator<Object, Manager>;
template <class Object, class Manager>
using boost_cached_node = boost::interprocess::cached_node_allocator<Object, Manager>;

#endif /* LEND_BENCH_BOOST */

} /* namespace contest */

#endif /* LENDHEAP_BENCH_HEAPS_HPP */
