#include "client/examples/mailbox/server.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/examples/mailbox/tree.h"
#include "client/examples/program/place.h"
#include "drover/recipes/shard_map.h"

namespace drover::examples::mailbox {

void Boxes::Replace(std::map<std::string, std::uint64_t> tokens) {
  const std::lock_guard<std::mutex> lock(mu_);
  tokens_ = std::move(tokens);
}

std::optional<std::uint64_t> Boxes::TokenOf(const std::string& box) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = tokens_.find(box);
  return found == tokens_.end() ? std::nullopt : std::optional(found->second);
}

Handler MailHandler(const std::string& name, Boxes* boxes, FencedStore* store) {
  return [name, boxes, store](const std::string& method, const std::vector<std::string>& arguments) -> absl::StatusOr<Lines> {
    const bool send = method == "send" && arguments.size() == 3;
    if (!send && !(method == "read" && arguments.size() == 1))
      return absl::InvalidArgumentError("send and read are what is served");
    const std::string& box = arguments[0];
    const std::optional<std::uint64_t> token = boxes->TokenOf(box);
    if (!token) return absl::UnavailableError(absl::StrCat(name, " does not have the mailbox ", box));
    // What is known here may be old, if this process stood still. The store knows better.
    const Holder holder{.token = *token, .who = name};
    absl::StatusOr<std::vector<Record>> mail = std::vector<Record>();
    if (send) {
      const absl::StatusOr<bool> stored = store->Append(box, holder, arguments[1], arguments[2]);
      if (!stored.ok()) mail = stored.status();
    } else {
      mail = store->Read(box, holder);
    }
    if (absl::IsFailedPrecondition(mail.status())) return absl::UnavailableError(mail.status().message());
    if (!mail.ok()) return mail.status();
    Lines lines;
    for (Record& record : *mail) lines.push_back(std::move(record.data));
    return lines;
  };
}

Clerk::Clerk(coord::Session* session, std::string name, const std::string& address, Boxes* boxes)
    : session_(session),
      name_(std::move(name)),
      boxes_(boxes),
      tree_(session, {.path = kRoot}, this),
      member_(session->loop(), session, {.path = kServers, .name = name_, .data = address}, this) {}

Clerk::~Clerk() {
  boxes_->Replace({});
}

void Clerk::OnRegistered(coord::Zxid incarnation) {
  std::cerr << name_ << " is registered, incarnation " << incarnation << "\n";
  Look();
}

void Clerk::OnNameTaken(const coord::Node& holder) {
  std::cerr << "another server has the name " << name_ << " (at " << holder.data << "); waiting for it to go\n";
}

// With the session, or somebody deleted the node: then it comes back as a new server.
void Clerk::OnLost(const absl::Status& why) {
  std::cerr << name_ << " is not registered any more: " << why.message() << "\n";
  boxes_->Replace({});
  if (session_->state() != coord::SessionState::kExpired) member_.Rejoin(session_);
}

void Clerk::OnCacheChanged(const coord::Event*) {
  Look();
}

void Clerk::Look() {
  if (!tree_.synced() || member_.state() != recipes::Member::State::kRegistered) return;
  const Place here{.server = name_, .incarnation = member_.incarnation()};
  std::vector<std::string> servers;
  std::vector<std::string> boxes;
  std::vector<std::string> owners;  // of the boxes; "": nobody who is alive
  std::map<std::string, std::uint64_t> mine;
  for (const auto& [path, node] : tree_.nodes()) {
    absl::string_view name = path;
    if (absl::ConsumePrefix(&name, absl::StrCat(kServers, "/"))) servers.emplace_back(name);
    if (name = path; !absl::ConsumePrefix(&name, absl::StrCat(kBoxes, "/"))) continue;
    const Place place = DecodePlace(node.data);
    // The transaction that made this server the mailbox's is the token: a later one of another server has a higher zxid.
    if (place == here) mine.emplace(name, node.stat.mzxid.value);
    const coord::Node* server = tree_.Find(ServerPath(place.server));
    boxes.emplace_back(name);
    owners.push_back(server != nullptr && server->stat.czxid == place.incarnation ? place.server : "");
  }
  boxes_->Replace(std::move(mine));
  // All servers reckon the same from the same tree: whoever has least takes the next one.
  const std::vector<std::string> spread = recipes::SpreadShards(owners, servers, /*even=*/false);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (owners[i].empty() && spread[i] == name_) Take(boxes[i], tree_.Find(BoxPath(boxes[i]))->stat.mzxid);
  }
}

void Clerk::Take(const std::string& box, coord::Zxid seen) {
  if (!taking_.insert(box).second) return;
  // Only if nobody else has taken it since it was looked at, and if this server is registered still.
  session_->Commit({.compares = {coord::Compare::Mzxid(BoxPath(box), seen), member_.Guard()},
                    .then = {coord::Operation::Set(BoxPath(box), EncodePlace({name_, member_.incarnation()}))}},
                   WhileAlive([this, box](const absl::StatusOr<coord::TransactionResult>& taken) {
                     taking_.erase(box);
                     if (!taken.ok()) return;  // the next tick tries again
                     if (taken->succeeded) std::cerr << name_ << " takes " << box << ", token " << taken->zxid << "\n";
                     Look();  // the view shows by now who took it
                   }));
}

}  // namespace drover::examples::mailbox
