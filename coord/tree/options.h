// Limits of the replicated state machine.
//
// Every replica of a cluster must run with the same values: they decide what an entry does. (History size is a replica's own
// affair.)
#ifndef DROVER_COORD_TREE_OPTIONS_H_
#define DROVER_COORD_TREE_OPTIONS_H_

#include <cstddef>
#include <cstdint>

namespace drover::coord::tree {

struct Options {
  // A node's data.
  std::size_t data_bytes_max = std::size_t{1} << 20;
  // A path, sequence number included.
  std::size_t path_bytes_max = 4096;
  // Of a transaction: compares, operations of `then`, operations of `otherwise`, each.
  std::size_t operations_max = 1024;
  std::size_t transaction_bytes_max = std::size_t{4} << 20;

  // Nodes that one write deletes by DeleteSubtree.
  std::size_t subtree_nodes_max = 10'000;
  // Entries of one access control list, and the bytes of one entry's id.
  std::size_t acl_entries_max = 128;
  std::size_t acl_id_bytes_max = 256;
  // What a session has proved to be, at most so many identities.
  std::size_t identities_max = 16;
  // Nodes with a quota: whoever lists them passes all of them.
  std::size_t quotas_max = 100'000;
  // ZooKeeper's, whose bytes hold no more.
  std::uint64_t ttl_ms_max = (std::uint64_t{1} << 48) - 1;

  // Of a MultiRead: reads, and bytes of answers from which on the others are not answered.
  std::size_t multi_read_max = 1024;
  std::size_t multi_read_bytes_max = std::size_t{4} << 20;
  // A page of Children, Ephemerals or List ends before it would pass either; a page with anything to show shows at least one.
  std::size_t page_bytes_max = std::size_t{1} << 20;
  std::size_t page_nodes_max = 10'000;

  // Sum over all nodes of names, data and Tree::kNodeBytes each. A write that would grow the tree beyond it is refused with
  // RESOURCE_EXHAUSTED; reads, deletes and writes that do not grow go on.
  std::size_t tree_bytes_max = std::size_t{2} << 30;

  // Opening one more is refused with RESOURCE_EXHAUSTED.
  std::size_t sessions_max = 100'000;
  std::size_t session_name_bytes_max = 128;
  // A session's time-out is clamped to these; one asked for as 0 is the default.
  std::uint32_t session_timeout_ms_min = 500;
  std::uint32_t session_timeout_ms_max = 300'000;
  std::uint32_t session_timeout_ms_default = 6'000;

  // A write numbered beyond seen + window_max, or met while kept_bytes_max or more of unseen answers are kept, is WINDOW_FULL.
  std::uint64_t window_max = 1024;
  std::size_t kept_bytes_max = std::size_t{64} << 10;
};

// Node-local: what EventHistory holds, encodings and bookkeeping.
struct HistoryOptions {
  std::size_t bytes_max = std::size_t{64} << 20;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_OPTIONS_H_
