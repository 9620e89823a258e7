#include "client/examples/storage/master.h"

#include <iostream>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/examples/storage/tree.h"
#include "drover/coord/status.h"
#include "drover/recipes/shard_map.h"

namespace drover::examples::storage {
namespace {

absl::StatusOr<Lines> MakeTable(const Office::Term& term, const std::string& id, const std::string& table,
                                const std::vector<std::string>& first_keys) {
  if (!IsTableName(table)) return absl::InvalidArgumentError(absl::StrCat("'", table, "' can be no name of a table"));
  // The table and its regions at once, and only if this is the master still.
  coord::Transaction make{.compares = {term.guard}};
  make.then = {coord::Operation::Create(TablePath(table), id, {.parents = true}),
               coord::Operation::Create(RegionPath(table, ""), "")};
  const std::set<std::string> keys(first_keys.begin(), first_keys.end());
  for (const std::string& key : keys) {
    if (!IsName(key) || !IsName(RegionLog(RegionPath(table, key))))
      return absl::InvalidArgumentError(absl::StrCat("'", key, "' can be no first key of a region"));
    make.then.push_back(coord::Operation::Create(RegionPath(table, key), ""));
  }
  const absl::StatusOr<coord::TransactionResult> made = term.core->Commit(std::move(make));
  if (coord::IsNodeExists(made.status())) {
    // Made by an earlier attempt of the same wish?
    const absl::StatusOr<coord::GetResult> there = term.core->Get(TablePath(table));
    if (!there.ok()) return there.status();
    if (there->node.data != id) return absl::AlreadyExistsError(absl::StrCat("there is a table ", table, " already"));
    return Lines();
  }
  if (coord::IsOutcomeUnknown(made.status())) return absl::UnavailableError(made.status().message());
  if (!made.ok()) return made.status();
  if (!made->succeeded) return absl::UnavailableError("this was the master and is not any more");
  return Lines();
}

}  // namespace

void Office::Enter(Term term) {
  const std::lock_guard<std::mutex> lock(mu_);
  term_ = std::move(term);
}

void Office::Leave() {
  const std::lock_guard<std::mutex> lock(mu_);
  term_.reset();
}

std::optional<Office::Term> Office::term() {
  const std::lock_guard<std::mutex> lock(mu_);
  return term_;
}

Handler MasterHandler(Office* office) {
  return [office](const std::string& method, const std::vector<std::string>& arguments) -> absl::StatusOr<Lines> {
    if (method != "create" || arguments.size() < 2) return absl::InvalidArgumentError("a master serves create alone");
    const std::optional<Office::Term> term = office->term();
    if (!term) return absl::UnavailableError("this is not the master");
    return MakeTable(*term, arguments[0], arguments[1], {arguments.begin() + 2, arguments.end()});
  };
}

Master::Master(std::shared_ptr<coord::BlockingClient> core, coord::Session* session, const std::string& name,
               const std::string& address, Office* office)
    : core_(std::move(core)),
      session_(session),
      name_(name),
      office_(office),
      tree_(session, {.path = kRoot}, this),
      election_(session, {.path = kMasters, .data = address}, this) {
  election_.Stand();
}

Master::~Master() {
  office_->Leave();
}

void Master::OnElected(const recipes::Leadership& mine) {
  std::cerr << name_ << " is the master, epoch " << mine.epoch << "\n";
  office_->Enter({.core = core_, .guard = election_.Guard()});
  Look();
}

void Master::OnDeposed(const absl::Status& why) {
  std::cerr << name_ << " is not a candidate any more: " << why.message() << "\n";
  office_->Leave();
  if (session_->state() != coord::SessionState::kExpired) election_.Stand();
}

void Master::OnCacheChanged(const coord::Event*) {
  Look();
}

void Master::OnCacheProgress(coord::Zxid) {
  Look();
}

void Master::Look() {
  if (election_.state() != recipes::Election::State::kLeading || !tree_.synced()) return;
  // From `since` on no other master can have changed anything: that state, or a later one, is what to go on from.
  if (tree_.zxid() < election_.leadership().since) return;
  std::vector<std::string> servers;
  std::vector<const coord::Node*> regions;
  std::vector<std::string> owners;  // of the regions; "": nobody who is alive
  for (const auto& [path, node] : tree_.nodes()) {
    absl::string_view name = path;
    if (absl::ConsumePrefix(&name, absl::StrCat(kServers, "/"))) servers.emplace_back(name);
    if (RegionLog(path).empty()) continue;
    const Place place = DecodePlace(node.data);
    const coord::Node* server = tree_.Find(ServerPath(place.server));
    regions.push_back(&node);
    owners.push_back(server != nullptr && server->stat.czxid == place.incarnation ? place.server : "");
  }
  const std::vector<std::string> spread = recipes::SpreadShards(owners, servers, /*even=*/true);
  for (std::size_t i = 0; i < regions.size(); ++i) {
    if (spread[i] == owners[i]) continue;
    const coord::Zxid incarnation = tree_.Find(ServerPath(spread[i]))->stat.czxid;
    Assign(regions[i]->path, regions[i]->stat.mzxid, {.server = spread[i], .incarnation = incarnation});
  }
}

void Master::Assign(const std::string& region, coord::Zxid seen, const Place& place) {
  if (!assigning_.insert(region).second) return;
  // Only if this is the master still, the region is as it was seen, and that very life of the server is there.
  session_->Commit({.compares = {election_.Guard(), coord::Compare::Mzxid(region, seen),
                                 coord::Compare::Czxid(ServerPath(place.server), place.incarnation)},
                    .then = {coord::Operation::Set(region, EncodePlace(place))}},
                   WhileAlive([this, region, server = place.server](const absl::StatusOr<coord::TransactionResult>& assigned) {
                     assigning_.erase(region);
                     if (!assigned.ok()) return;  // the next tick tries again
                     if (assigned->succeeded) {
                       std::cerr << name_ << " gives " << RegionLog(region) << " to " << server << ", token " << assigned->zxid
                                 << "\n";
                     }
                     Look();  // the view shows by now what stood in the way
                   }));
}

}  // namespace drover::examples::storage
