/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_CONTAINER_HEAPS_HPP
#define LENDHEAP_BENCH_CONTAINER_HEAPS_HPP

/*
 * The heaps below the C++ containers of bench_containers, all of one shape:
 *
 *	heap::allocator<T>, heap::string      what its containers are made with
 *	h.open();                             0 or -errno: a heap with nothing in it
 *	auto a = h.get<T>();                  an allocator for it
 *	h.close();
 *
 * Every turn has a heap of its own: an arena or a segment is made and destroyed, glibc is asked to
 * return what it has free (malloc_trim), so that in each of them the first touch of its pages is
 * part of what is measured where a turn has no passes to warm up.
 */
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <malloc.h>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include <lendheap/alloc.h>
#include <lendheap/allocator.hpp>
#include <lendheap/fixed.hpp>
#include <lendheap/scope.hpp>

#ifdef LEND_BENCH_BOOST
#include <boost/container/string.hpp>
#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#endif

namespace contest
{

/* The process's own heap. */
class own_heap
{
      public:
	template <class T> using allocator = std::allocator<T>;
	using string = std::string;

	int open()
	{
		return 0;
	}
	void close()
	{
		malloc_trim(0);
	}
	template <class T> allocator<T> get() const
	{
		return {};
	}
};

/* An arena of lendheap's, its cache in the default profile. */
class arena_heap
{
      public:
	int open()
	{
		lend_arena_options options = {};

		options.struct_bytes = sizeof(options);
		options.name = "bench";
		return lend_arena_create(&options, &arena_);
	}
	void close()
	{
		lend_arena_destroy(arena_);
	}
	lend_arena *arena() const
	{
		return arena_;
	}

      private:
	lend_arena *arena_ = nullptr;
};

/* The same for allocators without state: between open and close it is the thread's scope. */
class scope_heap : public arena_heap
{
      public:
	int open()
	{
		int err = arena_heap::open();

		if (!err)
			outer_ = lend_scope_enter(arena());
		return err;
	}
	void close()
	{
		lend_scope_leave(outer_);
		arena_heap::close();
	}

      private:
	lend_arena *outer_ = nullptr;
};

/* With raw pointers. */
class fixed_heap : public scope_heap
{
      public:
	template <class T> using allocator = lend::fixed_allocator<T>;
	using string = lend::fixed::string;

	template <class T> allocator<T> get() const
	{
		return {};
	}
};

#ifdef LEND_BENCH_BOOST

/* With offset pointers. */
class fancy_heap : public scope_heap
{
      public:
	template <class T> using allocator = lend::allocator<T>;
	using string =
		boost::container::basic_string<char, std::char_traits<char>, allocator<char>>;

	template <class T> allocator<T> get() const
	{
		return {};
	}
};

/* Boost.Interprocess as it comes: rbtree_best_fit with its mutex, in a memfd. */
class segment_heap
{
      public:
	using buffer = boost::interprocess::managed_external_buffer;
	template <class T>
	using allocator = boost::interprocess::allocator<T, buffer::segment_manager>;
	using string =
		boost::container::basic_string<char, std::char_traits<char>, allocator<char>>;

	int open()
	{
		int fd = memfd_create("boost", MFD_CLOEXEC);

		if (fd < 0)
			return -errno;
		memory_ = MAP_FAILED;
		if (ftruncate(fd, segment_bytes) == 0)
			memory_ = mmap(nullptr, segment_bytes, PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);
		::close(fd);
		if (memory_ == MAP_FAILED)
			return -ENOMEM;
		buffer_ = buffer(boost::interprocess::create_only, memory_, segment_bytes);
		return 0;
	}
	void close()
	{
		munmap(memory_, segment_bytes);
	}
	template <class T> allocator<T> get() const
	{
		return allocator<T>(buffer_.get_segment_manager());
	}

      private:
	static constexpr size_t segment_bytes = size_t{1} << 32; /* sparse */

	void *memory_ = MAP_FAILED;
	buffer buffer_;
};

#endif /* LEND_BENCH_BOOST */

} /* namespace contest */

#endif /* LENDHEAP_BENCH_CONTAINER_HEAPS_HPP */
