// Single reads of the tree outside of any session, as blocking calls: for command lines. Nothing is written for them, so they work
// where no session can be opened: on a node whose disk is full.
//
//   coord::Reader reader({"127.0.0.1:7400"});
//   absl::StatusOr<coord::GetResult> got = reader.Get("/drover", std::chrono::seconds(5));
//
// Reads are linearizable. Each call asks the nodes once, one after the other, until one answers: UNAVAILABLE, with each node's
// words, if none did. A refusal is an answer (status.h). Threads: one at a time.
#ifndef DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_READER_H_
#define DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/base/time.h"
#include "drover/coord/types.h"

namespace drover::coord {

class Reader {
 public:
  // `auth`: what each call shows of who asks.
  explicit Reader(std::vector<std::string> endpoints, std::vector<Credential> auth = {});
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // `timeout` bounds the whole call.
  [[nodiscard]] absl::StatusOr<GetResult> Get(const std::string& path, base::Duration timeout);
  [[nodiscard]] absl::StatusOr<ExistsResult> Exists(const std::string& path, base::Duration timeout);
  // All names, read page by page: not one state if there is more than one page.
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> Children(const std::string& path, base::Duration timeout);
  // A page of the subtree: paths after `after` in PathLess order; "" for the first page; limit 0: as many as a page holds.
  [[nodiscard]] absl::StatusOr<ListPage> List(const std::string& path, const std::string& after, std::uint32_t limit,
                                              bool with_data, base::Duration timeout);
  // How many nodes there are below it, at all depths.
  [[nodiscard]] absl::StatusOr<CountResult> CountDescendants(const std::string& path, base::Duration timeout);
  // Of a session, at or below `path` ("": all), without data, in the order of their creation, read page by page.
  [[nodiscard]] absl::StatusOr<std::vector<Node>> Ephemerals(SessionId session, const std::string& path, base::Duration timeout);
  [[nodiscard]] absl::StatusOr<AclResult> GetAcl(const std::string& path, base::Duration timeout);
  // What is at and below the node, and all quotas there, read page by page.
  [[nodiscard]] absl::StatusOr<std::vector<QuotaUsage>> Quotas(const std::string& path, base::Duration timeout);
  [[nodiscard]] absl::StatusOr<IdentitiesResult> WhoAmI(base::Duration timeout);
  // All sessions of the core, by age, read page by page.
  [[nodiscard]] absl::StatusOr<std::vector<SessionInfo>> Sessions(base::Duration timeout);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_READER_H_
