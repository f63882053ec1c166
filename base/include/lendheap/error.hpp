/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ERROR_HPP
#define LENDHEAP_ERROR_HPP

/*
 * How failure looks in C++: lend::error is thrown by what can fail, lend::bad_alloc by what
 * allocates; both say the library's own sentence. The functions named try_... return a
 * lend::result instead and throw nothing.
 *
 *	lend::result<lend::borrowed> r = lend::try_open("roads");
 *	if (!r)
 *		std::fprintf(stderr, "%s\n", r.detail());
 */
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include <lendheap/error.h>

namespace lend
{

/* A call failed: code() is its errno (of lendheap/error.h), what() the sentence. */
class error : public std::system_error
{
      public:
	/* err: what the C function returned. Takes the thread's sentence. */
	explicit error(int err) : error(err, lend_error_detail())
	{
	}

	error(int err, const char *sentence) : std::system_error(-err, std::generic_category())
	{
		std::snprintf(text_, sizeof(text_), "%s", sentence);
	}

	/* Not what strerror() says of the number: some of ours mean something else here. */
	const char *what() const noexcept override
	{
		return text_;
	}

      private:
	char text_[252];
};

/* No memory, or none to be had here: outside of a scope, in a process that only reads. */
class bad_alloc : public std::bad_alloc
{
      public:
	/* From errno and the thread's sentence. */
	bad_alloc() noexcept : number_(errno)
	{
		std::snprintf(text_, sizeof(text_), "%s", lend_error_detail());
	}

	const char *what() const noexcept override
	{
		return text_;
	}

	/* ENOMEM, EDQUOT, EPERM, EINVAL (no scope) or ESTALE. */
	int number() const noexcept
	{
		return number_;
	}

      private:
	int number_;
	char text_[252];
};

/* A value, or the negative errno of why there is none. */
template <class T> class result
{
      public:
	result(T &&value) : value_(std::move(value))
	{
	}

	/* err is negative; the thread's sentence goes with it. */
	static result failure(int err) noexcept
	{
		return result(failed{err});
	}

	explicit operator bool() const noexcept
	{
		return value_.has_value();
	}

	/* Only where it holds a value. */
	T &operator*() &noexcept
	{
		return *value_;
	}

	const T &operator*() const &noexcept
	{
		return *value_;
	}

	T &&operator*() &&noexcept
	{
		return *std::move(value_);
	}

	T *operator->() noexcept
	{
		return &*value_;
	}

	const T *operator->() const noexcept
	{
		return &*value_;
	}

	/* The value, or its failure thrown as lend::error. */
	T value() &&
	{
		if (!value_)
			throw lend::error(error_, detail_);
		return *std::move(value_);
	}

	/* 0, or the negative errno. */
	int error() const noexcept
	{
		return error_;
	}

	/* The sentence; "" when there is a value. */
	const char *detail() const noexcept
	{
		return detail_;
	}

      private:
	struct failed {
		int err;
	};

	explicit result(failed how) noexcept : error_(how.err)
	{
		assert(how.err < 0);
		std::snprintf(detail_, sizeof(detail_), "%s", lend_error_detail());
	}

	std::optional<T> value_;
	int error_ = 0;
	char detail_[252] = "";
};

namespace detail
{

/* What a C function returned: throws when it is an error. */
inline int check(int err)
{
	if (err < 0)
		throw error(err);
	return err;
}

} // namespace detail

} // namespace lend

#endif /* LENDHEAP_ERROR_HPP */
