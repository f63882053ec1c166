/* SPDX-License-Identifier: Apache-2.0 */
#include <cstdio>
#include <cstring>
#include <map>

#include "region.hpp"

extern "C" {
void *__real_lend_scope_alloc(std::size_t bytes, std::size_t alignment);
void __real_lend_free_any(void *object, std::size_t bytes, std::size_t alignment);
void *__wrap_lend_scope_alloc(std::size_t bytes, std::size_t alignment);
void __wrap_lend_free_any(void *object, std::size_t bytes, std::size_t alignment);
}

namespace compat
{

namespace
{

constexpr std::size_t grain = 16;
constexpr std::size_t class_count = 512; /* of freed objects, by grains; larger ones are lost */

/* Offsets from the head, 0 for none: nothing here holds an address. */
struct head {
	std::uint64_t used;
	std::uint64_t live;
	std::uint64_t root;
	std::uint64_t freed[class_count];
};

head *region;

char *at(std::uint64_t offset)
{
	return reinterpret_cast<char *>(region) + offset;
}

std::uint64_t offset_of(const void *object)
{
	return static_cast<std::uint64_t>(
		static_cast<const char *>(object) - reinterpret_cast<const char *>(region));
}

bool is_inside(const void *object)
{
	return region && offset_of(object) < region_bytes;
}

std::size_t grains(std::size_t bytes)
{
	return bytes ? (bytes + grain - 1) / grain : 1;
}

/* Freed objects are zero but for the link, so that no pointer in them is counted. */
void *take_freed(std::size_t count, std::size_t alignment)
{
	if (count >= class_count || alignment > grain || !region->freed[count])
		return nullptr;
	char *object = at(region->freed[count]);

	std::memcpy(&region->freed[count], object, sizeof(std::uint64_t));
	std::memset(object, 0, sizeof(std::uint64_t));
	return object;
}

void *take_new(std::size_t count, std::size_t alignment)
{
	const std::uint64_t from = (region->used + alignment - 1) & ~(alignment - 1);

	if (from + count * grain > region_bytes)
		return nullptr;
	region->used = from + count * grain;
	return at(from);
}

} // namespace

void region_start(void *memory)
{
	region = static_cast<head *>(memory);
	std::memset(region, 0, sizeof(*region));
	region->used = sizeof(*region);
}

void region_go_on(void *memory)
{
	region = static_cast<head *>(memory);
}

void region_set_root(void *object)
{
	region->root = offset_of(object);
}

void *region_root()
{
	return at(region->root);
}

std::uint64_t region_live()
{
	return region->live;
}

pointers region_pointers()
{
	std::map<std::uint64_t, std::uint64_t> mapped; /* end -> begin */
	const auto base = reinterpret_cast<std::uint64_t>(region);
	pointers found = {0, 0};
	unsigned long long from;
	unsigned long long to;
	char line[512];
	std::FILE *maps = std::fopen("/proc/self/maps", "re");

	while (maps && std::fgets(line, sizeof(line), maps))
		if (std::sscanf(line, "%llx-%llx", &from, &to) == 2 && to >> 63 == 0)
			mapped[to] = from;
	if (maps)
		std::fclose(maps);
	for (std::uint64_t word, offset = sizeof(head); offset < region->used; offset += 8) {
		std::memcpy(&word, at(offset), sizeof(word));
		auto range = mapped.upper_bound(word);

		if (word - base < region_bytes)
			found.inside++;
		else if (range != mapped.end() && word >= range->second)
			found.outside++;
	}
	return found;
}

} // namespace compat

void *__wrap_lend_scope_alloc(std::size_t bytes, std::size_t alignment)
{
	using namespace compat;

	if (!region)
		return __real_lend_scope_alloc(bytes, alignment);
	const std::size_t count = grains(bytes);
	void *object = take_freed(count, alignment);

	if (!object)
		object = take_new(count, alignment < grain ? grain : alignment);
	region->live += object != nullptr;
	return object;
}

void __wrap_lend_free_any(void *object, std::size_t bytes, std::size_t alignment)
{
	using namespace compat;

	if (!object || !is_inside(object)) {
		__real_lend_free_any(object, bytes, alignment);
		return;
	}
	const std::size_t count = grains(bytes);

	std::memset(object, 0, count * grain);
	region->live--;
	if (count >= class_count)
		return;
	std::memcpy(object, &region->freed[count], sizeof(std::uint64_t));
	region->freed[count] = offset_of(object);
}
