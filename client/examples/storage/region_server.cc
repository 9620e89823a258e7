#include "client/examples/storage/region_server.h"

#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/examples/program/place.h"
#include "client/examples/storage/tree.h"

namespace drover::examples::storage {
namespace {

// A row in a log: the length of its key, ':', its key and its value.
std::string EncodeRow(const std::string& key, const std::string& value) {
  return absl::StrCat(key.size(), ":", key, value);
}
std::pair<std::string, std::string> DecodeRow(const std::string& row) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(row, absl::MaxSplits(':', 1));
  std::size_t length = 0;
  if (!absl::SimpleAtoi(parts.first, &length) || length > parts.second.size()) return {};
  return {parts.second.substr(0, length), parts.second.substr(length)};
}

// Another server has the region by now: the client shall ask the core where it is.
absl::Status Moved(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) ? absl::UnavailableError(status.message()) : status;
}

}  // namespace

void Regions::Replace(std::map<std::string, std::uint64_t> tokens) {
  const std::lock_guard<std::mutex> lock(mu_);
  for (auto region = regions_.begin(); region != regions_.end();) {
    const auto now = tokens.find(region->first);
    const bool stays = now != tokens.end() && now->second == region->second.token;
    region = stays ? std::next(region) : regions_.erase(region);
  }
  for (const auto& [log, token] : tokens) regions_.try_emplace(log, Region{.token = token});
}

absl::Status Regions::Open(const std::string& log, Region* region) {
  const Holder holder{.token = region->token, .who = name_};
  if (region->rows) return store_->Check(log, holder);
  const absl::StatusOr<std::vector<Record>> records = store_->Read(log, holder);
  if (!records.ok()) return records.status();
  region->rows.emplace();
  for (const Record& record : *records) {
    const auto [key, value] = DecodeRow(record.data);
    (*region->rows)[key] = value;
  }
  std::cerr << name_ << " opens " << log << ", token " << region->token << "\n";
  return absl::OkStatus();
}

absl::StatusOr<Lines> Regions::Answer(const std::string& method, const std::vector<std::string>& arguments) {
  const bool put = method == "put" && arguments.size() == 4;
  const bool get = method == "get" && arguments.size() == 2;
  if (!put && !get && !(method == "scan" && arguments.size() == 1)) {
    return absl::InvalidArgumentError("put, get and scan are what is served");
  }
  const std::string& log = arguments[0];
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = regions_.find(log);
  if (found == regions_.end()) return absl::UnavailableError(absl::StrCat(name_, " does not have the region ", log));
  Region& region = found->second;
  if (absl::Status opened = Open(log, &region); !opened.ok()) return Moved(opened);
  if (put) {
    const Holder holder{.token = region.token, .who = name_};
    const absl::StatusOr<bool> stored = store_->Append(log, holder, arguments[1], EncodeRow(arguments[2], arguments[3]));
    if (stored.ok() && *stored) (*region.rows)[arguments[2]] = arguments[3];
    // Whether a row that could not be stored is in the log is not known: the log is to be read again.
    if (!stored.ok()) region.rows.reset();
    return stored.ok() ? absl::StatusOr<Lines>(Lines()) : Moved(stored.status());
  }
  if (get) {
    const auto row = region.rows->find(arguments[1]);
    if (row == region.rows->end()) return absl::NotFoundError(absl::StrCat("there is no key ", arguments[1]));
    return Lines{row->second};
  }
  Lines rows;
  for (const auto& [key, value] : *region.rows) rows.insert(rows.end(), {key, value});
  return rows;
}

RegionServer::RegionServer(coord::Session* session, const std::string& name, const std::string& address, Regions* regions)
    : session_(session),
      name_(name),
      regions_(regions),
      tables_(session, {.path = kTables}, this),
      member_(session->loop(), session, {.path = kServers, .name = name, .data = address}, this) {}

RegionServer::~RegionServer() {
  regions_->Replace({});
}

void RegionServer::OnRegistered(coord::Zxid incarnation) {
  std::cerr << name_ << " is registered, incarnation " << incarnation << "\n";
  OnCacheChanged(nullptr);
}

void RegionServer::OnNameTaken(const coord::Node& holder) {
  std::cerr << "another server has the name " << name_ << " (at " << holder.data << "); waiting for it to go\n";
}

// With the session, or somebody deleted the node: then it comes back as a new server.
void RegionServer::OnLost(const absl::Status& why) {
  std::cerr << name_ << " is not registered any more: " << why.message() << "\n";
  regions_->Replace({});
  if (session_->state() != coord::SessionState::kExpired) member_.Rejoin(session_);
}

void RegionServer::OnCacheChanged(const coord::Event*) {
  if (!tables_.synced() || member_.state() != recipes::Member::State::kRegistered) return;
  const Place here{.server = name_, .incarnation = member_.incarnation()};
  std::map<std::string, std::uint64_t> mine;
  for (const auto& [path, node] : tables_.nodes()) {
    // The transaction that gave the region to this server is the token.
    if (DecodePlace(node.data) == here) mine.emplace(RegionLog(path), node.stat.mzxid.value);
  }
  regions_->Replace(std::move(mine));
}

}  // namespace drover::examples::storage
