/* SPDX-License-Identifier: Apache-2.0 */
#include "support/suite.h"
#include "support/tools.h"

#include "files.h"

static void snap_reads_an_edge_list(void)
{
	struct edge_list list;

	CU_ASSERT(load_text("# a comment\n# FromNodeId\tToNodeId\n\n10\t20\n20 30 1217\r\n"
			    "  007\t\t10   \n% other comment\n30 30",
			  &list) == 0);
	CU_ASSERT(list.vertex_count == 4);
	CU_ASSERT(list.edge_count == 4);
	CU_ASSERT(!list.undirected && list.unweighted);
	CU_ASSERT(strcmp(edges_name(&list, list.edges[2].tail), "7") == 0);
	CU_ASSERT(edge_is(&list, 3, "30", "30", list.edges[3].weight));
	CU_ASSERT(list.edges[0].weight >= 1 && list.edges[0].weight <= 255);
	edges_fini(&list);
}

static void snap_numbers_may_be_sparse(void)
{
	struct edge_list list;

	CU_ASSERT(load_text("9223372036854775807 0\n0 9223372036854775807\n", &list) == 0);
	CU_ASSERT(list.vertex_count == 2);
	edges_fini(&list);
	refuse("9223372036854775808 0\n", "line 1: the first vertex 9223372036854775808 is "
					  "above");
}

static void snap_refuses_what_is_no_edge(void)
{
	refuse("1 2\n3 -4\n", "line 2: the second vertex is negative: \"-4\"");
	refuse("-1 2\n", "line 1: the first vertex is negative");
	refuse("1 2\n3\n", "line 2: the line ends where the second vertex should be");
	refuse("1 2\n3 four\n",
		"line 2: the second vertex should be a whole number, not \"four\"");
	refuse("1 2\n3 4.5\n", "line 2: the second vertex should be a whole number");
	refuse("1 2\nx 4\n", "line 2: the first vertex should be a whole number");
	refuse("1,2\n", "line 1: the first vertex should be a whole number, not \"1,2\"");
	refuse("# nothing\n", "no edges in it");
	refuse("", "the file is empty");
	refuse("\n\n", "the file is empty");
}

static void snap_notices_missing_edges(void)
{
	refuse("# Nodes: 3 Edges: 3\n1 2\n2 3\n", "ends after 2 edges and its head promises 3");
}

static void dimacs_reads_arcs(void)
{
	struct edge_list list;

	CU_ASSERT(
		load_text(
			"c hello\np sp 4 3\na 1 2 803\nc between\na 2 3 0\na 3 1 4294967295\n",
			&list) == 0);
	CU_ASSERT(list.vertex_count == 4);
	CU_ASSERT(list.edge_count == 3);
	CU_ASSERT(!list.undirected && !list.unweighted);
	CU_ASSERT(edge_is(&list, 0, "1", "2", 803));
	CU_ASSERT(edge_is(&list, 1, "2", "3", 0));
	CU_ASSERT(edge_is(&list, 2, "3", "1", UINT32_MAX));
	edges_fini(&list);
}

static void dimacs_reads_undirected_relatives(void)
{
	struct edge_list list;

	CU_ASSERT(load_text("p tw 3 2\n1 2\n2 3\n", &list) == 0);
	CU_ASSERT(list.vertex_count == 3 && list.edge_count == 2);
	CU_ASSERT(list.undirected && list.unweighted);
	edges_fini(&list);
	CU_ASSERT(load_text("p edge 3 2\ne 1 2\ne 2 3\n", &list) == 0);
	CU_ASSERT(list.edge_count == 2 && list.undirected);
	edges_fini(&list);
}

static void dimacs_refuses_a_bad_problem_line(void)
{
	refuse("a 1 2 3\n", "line 1: the problem line (\"p sp ...\") is missing");
	refuse("c only\n", "the file ends without a problem line");
	refuse("p sp 2 1\np sp 2 1\na 1 2 3\n", "line 2: a second problem line");
	refuse("p max 2 1\na 1 2 3\n", "line 1: the problem is \"max\"");
	refuse("p sp 2\n", "line 1: the line ends where the number of edges should be");
	refuse("p sp -2 1\n", "line 1: the number of vertices is negative");
	refuse("p sp 2 1 7\n", "line 1: \"7\" follows the two numbers");
	refuse("p sp 99999999999 1\n", "line 1: the number of vertices 99999999999 is above");
	refuse("p\n", "line 1: the problem is \"\"");
}

static void dimacs_refuses_a_bad_arc(void)
{
	refuse("p sp 2 1\na 1 3 5\n", "line 2: the second vertex is 3, outside 1 to 2");
	refuse("p sp 2 1\na 0 1 5\n", "line 2: the first vertex is 0, outside 1 to 2");
	refuse("p sp 2 1\na 1 -2 5\n", "line 2: the second vertex is negative");
	refuse("p sp 2 1\na 1 2 -5\n", "line 2: the weight is negative");
	refuse("p sp 2 1\na 1 2 4294967296\n", "line 2: the weight 4294967296 is above");
	refuse("p sp 2 1\na 1 2\n", "line 2: the line ends where the weight should be");
	refuse("p sp 2 1\na 1 2 5 6\n", "line 2: \"6\" follows the numbers");
	refuse("p sp 2 1\n1 2 5\n", "line 2: a line of edges begins with \"a\"");
	refuse("p tw 2 1\na 1 2\n", "line 2: the first vertex should be a whole number");
	refuse("p sp 2 1\na 1 2 5\na 2 1 5\n", "line 3: more edges than the 1");
}

static void dimacs_notices_missing_arcs(void)
{
	refuse("p sp 3 3\na 1 2 1\na 2 3 1\n",
		"the file ends after 2 edges and its problem line promises 3: it is cut off");
	refuse("p sp 3 2\na 1 2 1\na 2", "line 3: the line ends where the second vertex");
}

static void apt_reads_records(void)
{
	struct edge_list list;

	CU_ASSERT(
		load_text(
			"Package: a\nVersion: 1\nDepends: b (>= 1), c | d:any [amd64],\n"
			" e <!nocheck>\nDescription: text: with, commas | and bars\n"
			" Depends: not a field\n\n"
			"Package: b\nPre-Depends: e\nRecommends: a, zsh\n\n\nPackage: lonely\n",
			&list) == 0);
	CU_ASSERT(list.edge_count == 7);
	CU_ASSERT(edge_is(&list, 0, "a", "b", 2));
	CU_ASSERT(edge_is(&list, 1, "a", "c", 2));
	CU_ASSERT(edge_is(&list, 2, "a", "d", 2));
	CU_ASSERT(edge_is(&list, 3, "a", "e", 2));
	CU_ASSERT(edge_is(&list, 4, "b", "e", 1));
	CU_ASSERT(edge_is(&list, 5, "b", "a", 4));
	CU_ASSERT(edge_is(&list, 6, "b", "zsh", 4));
	CU_ASSERT(list.vertex_count == 7);
	CU_ASSERT(!list.unweighted);
	edges_fini(&list);
}

static void apt_counts_a_dependency_once(void)
{
	struct edge_list list;

	CU_ASSERT(load_text("Package: a\nRecommends: b\nDepends: b (>= 1), b (<< 2)\n"
			    "Pre-Depends: b\n",
			  &list) == 0);
	CU_ASSERT(list.edge_count == 1);
	CU_ASSERT(edge_is(&list, 0, "a", "b", 1));
	edges_fini(&list);
}

static void apt_takes_the_first_record_of_a_package(void)
{
	struct edge_list list;

	CU_ASSERT(load_text("Package: a\nDepends: b\n\nPackage: a\nDepends: c\n\nPackage: b\n"
			    "Status: deinstall ok config-files\nDepends: d\n",
			  &list) == 0);
	CU_ASSERT(list.edge_count == 1);
	CU_ASSERT(edge_is(&list, 0, "a", "b", 2));
	edges_fini(&list);
}

static void apt_refuses_what_is_no_record(void)
{
	refuse("Package: a\nDepends: b\n\nDepends: c\n",
		"line 4: the record ending here has no "
		"Package field");
	refuse("Package: a\nno field\n", "line 2: no field of a package record: \"no field\"");
	refuse("Package: a b\nDepends: c\n", "\"a b\" is no name of a package");
	refuse("Package: a\nDepends: b (>= 1\n", "not a list of packages at \"b (>= 1\"");
	refuse("Package: a\nDepends: b c\n", "not a list of packages at \"b c\"");
	refuse("Package: a\nDepends: (b)\n", "not a list of packages");
	refuse("Package: a\n\n continued\n", "line 3: a continued line outside a record");
	refuse("Package: a\n", "no edges in it");
}

static void unknown_text_is_refused(void)
{
	refuse("<html>\n<body>\n", "line 1: \"<html>\" begins neither an edge list");
	refuse("hello world\n", "line 1: \"hello world\" begins neither");
}

static void binary_junk_is_refused(void)
{
	static const unsigned char elf[] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, '\n', 1};
	static const unsigned char nul[] = {'1', ' ', '2', '\n', '3', ' ', 0, '4', '\n'};

	refuse_bytes(elf, sizeof(elf), "line 1: byte 0x7f at column 1: this is not text");
	refuse_bytes(nul, sizeof(nul), "line 2: byte 0x00 at column 3: this is not text");
}

static void a_line_without_end_is_refused(void)
{
	size_t count = INT32_C(3) << 20;
	char *text = malloc(count);

	CU_ASSERT_FATAL(text != NULL);
	memset(text, '1', count);
	refuse_bytes(text, count, "line 1: a line of more than 1048576 bytes");
	free(text);
}

static void a_long_line_is_read(void)
{
	struct edge_list list;
	/* ASan's strict string checks measure the rest of the line with every name. */
	size_t count = UNDER_ASAN ? 70000 : 700000;
	char *text = malloc(count + 32);
	size_t used;

	CU_ASSERT_FATAL(text != NULL);
	used = (size_t)sprintf(text, "Package: a\nDepends: b");
	while (used < count)
		used += (size_t)sprintf(text + used, ", p%zu", used);
	CU_ASSERT(load_bytes(text, used, LOAD_AUTO, &list) == 0);
	CU_ASSERT(list.edge_count > count / 10);
	edges_fini(&list);
	free(text);
}

static void a_missing_file_is_named(void)
{
	struct load_options options = {.path = "no/such/file.gr"};
	struct edge_list list;

	edges_init(&list);
	CU_ASSERT(load_graph(&options, &list) == -ENOENT);
	CU_ASSERT(strcmp(graph_failure(), "no/such/file.gr: No such file or directory") == 0);
	options.path = "/tmp";
	CU_ASSERT(load_graph(&options, &list) == -EISDIR);
}

static void the_format_can_be_told(void)
{
	struct edge_list list;

	CU_ASSERT(load_bytes("1 2\n", 4, LOAD_SNAP, &list) == 0);
	edges_fini(&list);
	CU_ASSERT(load_bytes("1 2\n", 4, LOAD_DIMACS, &list) < 0);
	CU_ASSERT(strstr(graph_failure(), "line 1: the problem line") != NULL);
	CU_ASSERT(load_bytes("1 2\n", 4, LOAD_APT, &list) < 0);
	CU_ASSERT(strstr(graph_failure(), "line 1: no field of a package record") != NULL);
}

/* A .gr file long enough that its packed form has something to cut. */
static void make_gr(char *text, size_t room)
{
	size_t used = (size_t)snprintf(text, room, "p sp 500 500\n");
	unsigned i;

	for (i = 1; i <= 500; i++)
		used += (size_t)snprintf(text + used, room - used, "a %u %u %u\n", i,
			i * 7 % 500 + 1, i * i % 997);
}

/* Cut anywhere but at the end it is refused; bent anywhere behind its head it is refused. */
static void check_packed(const struct bytes *packed, const char *cut_words)
{
	struct bytes bent;
	size_t at;

	for (at = 8; at < packed->count; at += at / 4 + 1)
		refuse_bytes(packed->at, at, cut_words);
	refuse_bytes(packed->at, packed->count - 1, cut_words);
	for (at = 40; at < packed->count; at += packed->count / 7) {
		bent = *packed;
		bent.at[at] ^= 0x10;
		refuse_bytes(bent.at, bent.count, "line ");
	}
}

#ifdef GRAPH_WITH_ZLIB
static void gzip_is_read_and_cut_or_bent_refused(void)
{
	struct bytes packed = {.count = 0};
	struct edge_list list;
	char text[16384];

	make_gr(text, sizeof(text));
	pack_gzip(text, &packed);
	CU_ASSERT(load_bytes(packed.at, packed.count, LOAD_AUTO, &list) == 0);
	CU_ASSERT(list.vertex_count == 500 && list.edge_count == 500);
	edges_fini(&list);
	check_packed(&packed, "the gzip data end early: the file is cut off");
}

static void gzip_members_follow_each_other(void)
{
	struct bytes packed = {.count = 0};
	struct edge_list list;

	pack_gzip("1 2\n2 ", &packed);
	pack_gzip("3\n", &packed);
	CU_ASSERT(load_bytes(packed.at, packed.count, LOAD_AUTO, &list) == 0);
	CU_ASSERT(list.edge_count == 2);
	edges_fini(&list);
	packed.at[packed.count++] = 'x';
	refuse_bytes(packed.at, packed.count, "the gzip data ");
}
#endif

#ifdef GRAPH_WITH_LZMA
static void xz_is_read_and_cut_or_bent_refused(void)
{
	struct bytes packed = {.count = 0};
	struct edge_list list;
	char text[16384];

	make_gr(text, sizeof(text));
	pack_xz(text, &packed);
	CU_ASSERT(load_bytes(packed.at, packed.count, LOAD_AUTO, &list) == 0);
	CU_ASSERT(list.vertex_count == 500 && list.edge_count == 500);
	edges_fini(&list);
	check_packed(&packed, "the xz data end early: the file is cut off");
}
#endif

static int load_random(uint64_t seed, uint32_t scale, uint32_t factor, struct edge_list *list)
{
	struct load_options options = {
		.kronecker_scale = scale, .edge_factor = factor, .seed = seed};

	edges_init(list);
	return load_graph(&options, list);
}

static void kronecker_is_a_function_of_its_seed(void)
{
	struct edge_list one;
	struct edge_list same;
	struct edge_list other;

	CU_ASSERT(load_random(7, 8, 4, &one) == 0);
	CU_ASSERT(load_random(7, 8, 4, &same) == 0);
	CU_ASSERT(load_random(8, 8, 4, &other) == 0);
	CU_ASSERT(one.vertex_count == 256 && one.edge_count == 1024);
	CU_ASSERT(memcmp(one.edges, same.edges, 1024 * sizeof(struct edge)) == 0);
	CU_ASSERT(memcmp(one.edges, other.edges, 1024 * sizeof(struct edge)) != 0);
	edges_fini(&one);
	edges_fini(&same);
	edges_fini(&other);
}

/* Each edge ends in a vertex's first half, bit by bit, with A + C = 0.76 and A + B = 0.76. */
static void kronecker_degrees_follow_a_power_law(void)
{
	struct edge_list list;
	uint32_t *degrees;
	uint32_t most = 0;
	uint32_t none = 0;
	uint64_t i;

	CU_ASSERT(load_random(1, 14, 16, &list) == 0);
	degrees = calloc(list.vertex_count, sizeof(*degrees));
	CU_ASSERT_FATAL(degrees != NULL);
	for (i = 0; i < list.edge_count; i++) {
		degrees[list.edges[i].tail]++;
		degrees[list.edges[i].head]++;
	}
	for (i = 0; i < list.vertex_count; i++) {
		most = degrees[i] > most ? degrees[i] : most;
		none += degrees[i] == 0;
	}
	/* Expected at the top: 2 * 16 * 2^14 * 0.76^14, about 11,200. */
	CU_ASSERT(most > 10000 && most < 12500);
	CU_ASSERT(none > list.vertex_count / 8);
	free(degrees);
	edges_fini(&list);
}

static void too_large_a_graph_is_refused(void)
{
	struct edge_list list;

	CU_ASSERT(load_random(1, 26, 64, &list) == -E2BIG);
	CU_ASSERT(strstr(graph_failure(), "more than 2^30 edges") != NULL);
}

/* The real files lie beside the source tree, where they lie at all. */
static int real_file(const char *name, char *path, size_t room)
{
	snprintf(path, room, "%s/../../shared/data/%s", LEND_TEST_SOURCE_DIR, name);
	if (getenv("LEND_TEST_VALGRIND")) {
		fprintf(stderr, "\n  skipped under valgrind: %s\n", name);
		return 0;
	}
	if (access(path, R_OK) == 0)
		return 1;
	fprintf(stderr, "\n  skipped: no %s here\n", path);
	return 0;
}

static void the_road_network_is_read(void)
{
	char path[4096];
	struct load_options options = {.path = path, .seed = 1};
	struct edge_list list;

	if (!real_file("NE.gr.xz", path, sizeof(path)))
		return;
	edges_init(&list);
	CU_ASSERT(load_graph(&options, &list) == 0);
	CU_ASSERT(list.vertex_count == 1524453 && list.edge_count == 1934010);
	edges_fini(&list);
}

static void the_web_graph_is_read(void)
{
	char path[4096];
	struct load_options options = {.path = path, .seed = 1};
	struct edge_list list;

	if (!real_file("cnr-2000.edges.tsv.xz", path, sizeof(path)))
		return;
	edges_init(&list);
	CU_ASSERT(load_graph(&options, &list) == 0);
	CU_ASSERT(list.vertex_count == 325557 && list.edge_count == 3216152);
	edges_fini(&list);
}

static const struct suite_test tests[] = {
	SUITE_TEST(snap_reads_an_edge_list),
	SUITE_TEST(snap_numbers_may_be_sparse),
	SUITE_TEST(snap_refuses_what_is_no_edge),
	SUITE_TEST(snap_notices_missing_edges),
	SUITE_TEST(dimacs_reads_arcs),
	SUITE_TEST(dimacs_reads_undirected_relatives),
	SUITE_TEST(dimacs_refuses_a_bad_problem_line),
	SUITE_TEST(dimacs_refuses_a_bad_arc),
	SUITE_TEST(dimacs_notices_missing_arcs),
	SUITE_TEST(apt_reads_records),
	SUITE_TEST(apt_counts_a_dependency_once),
	SUITE_TEST(apt_takes_the_first_record_of_a_package),
	SUITE_TEST(apt_refuses_what_is_no_record),
	SUITE_TEST(unknown_text_is_refused),
	SUITE_TEST(binary_junk_is_refused),
	SUITE_TEST(a_line_without_end_is_refused),
	SUITE_TEST(a_long_line_is_read),
	SUITE_TEST(a_missing_file_is_named),
	SUITE_TEST(the_format_can_be_told),
#ifdef GRAPH_WITH_ZLIB
	SUITE_TEST(gzip_is_read_and_cut_or_bent_refused),
	SUITE_TEST(gzip_members_follow_each_other),
#endif
#ifdef GRAPH_WITH_LZMA
	SUITE_TEST(xz_is_read_and_cut_or_bent_refused),
#endif
	SUITE_TEST(kronecker_is_a_function_of_its_seed),
	SUITE_TEST(kronecker_degrees_follow_a_power_law),
	SUITE_TEST(too_large_a_graph_is_refused),
	SUITE_TEST(the_road_network_is_read),
	SUITE_TEST(the_web_graph_is_read),
};
SUITE_MAIN("graph_load", tests)
