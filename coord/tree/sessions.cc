#include "coord/tree/sessions.h"

#include <algorithm>
#include <utility>

#include "coord/base/check.h"
#include "coord/base/wire.h"

namespace drover::coord::tree {

bool Session::SecretIs(absl::string_view secret) const {
  if (secret.size() != secret_.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < secret_.size(); ++i) difference |= static_cast<unsigned char>(secret[i] ^ secret_[i]);
  return difference == 0;
}

Turn Session::Judge(std::uint64_t number, const Options& options) const {
  if (number <= seen_) return Turn::kForgotten;
  if (number <= last_write_) return Turn::kKept;
  // Before the order: of writes in flight behind a full window, all are told to come again.
  if (number - seen_ > options.window_max || kept_bytes_ >= options.kept_bytes_max) return Turn::kWindowFull;
  return number == last_write_ + 1 ? Turn::kApply : Turn::kOutOfOrder;
}

const base::Bytes& Session::KeptAnswer(std::uint64_t number) const {
  DROVER_CHECK(number > seen_ && number <= last_write_);
  return kept_[kept_head_ + (number - seen_ - 1)];
}

void Session::See(std::uint64_t seen) {
  seen = std::min(seen, last_write_);
  for (; seen_ < seen; ++seen_) {
    base::Bytes& answer = kept_[kept_head_++];
    kept_bytes_ -= kAnswerBytes + answer.size();
    answer = base::Bytes();
  }
  if (kept_head_ == kept_.size()) {
    kept_.clear();
    kept_head_ = 0;
  } else if (kept_head_ >= 64 && kept_head_ * 2 >= kept_.size()) {
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(kept_head_));
    kept_head_ = 0;
  }
}

void Session::Keep(base::Bytes answer) {
  kept_bytes_ += kAnswerBytes + answer.size();
  kept_.push_back(std::move(answer));
  ++last_write_;
}

bool Session::HasProved(const Identity& identity) const {
  return std::find(identities_.begin(), identities_.end(), identity) != identities_.end();
}

void Session::Add(const Identity& identity) {
  if (!HasProved(identity)) identities_.push_back(identity);
}

const Session* SessionTable::Find(base::SessionId id) const {
  const auto it = sessions_.find(id);
  return it == sessions_.end() ? nullptr : it->second.get();
}

Session* SessionTable::Find(base::SessionId id) {
  const auto it = sessions_.find(id);
  if (it == sessions_.end()) return nullptr;
  Save(*it->second);
  return it->second.get();
}

Session* SessionTable::Open(base::SessionId id, const Session::Secret& secret, std::uint32_t timeout_ms,
                            std::uint32_t disconnect_grace_ms, absl::string_view name, absl::string_view address) {
  auto session = std::make_unique<Session>();
  session->id_ = id;
  session->secret_ = secret;
  session->timeout_ms_ = timeout_ms;
  session->disconnect_grace_ms_ = disconnect_grace_ms;
  session->name_.assign(name.data(), name.size());
  session->address_.assign(address.data(), address.size());
  session->image_ = image_;
  const auto [it, inserted] = sessions_.emplace(id, std::move(session));
  DROVER_CHECK(inserted) << "session " << id << " exists";
  return it->second.get();
}

void SessionTable::Remove(base::SessionId id) {
  const auto it = sessions_.find(id);
  if (it == sessions_.end()) return;
  Save(*it->second);
  sessions_.erase(it);
}

bool SessionTable::Restore(const SessionState& state) {
  if (sessions_.count(state.id) > 0) return false;
  Session* const session = Open(state.id, state.secret, state.timeout_ms, state.disconnect_grace_ms, state.name, state.address);
  session->identities_ = state.identities;
  session->last_write_ = session->seen_ = state.seen;
  for (const absl::string_view answer : state.kept_answers) session->Keep(base::CopyExact(answer));
  return true;
}

void SessionTable::BeginImage(ImageSink* sink) {
  DROVER_CHECK(image_sink_ == nullptr);
  ++image_;
  image_sink_ = sink;
}

void SessionTable::EndImage() {
  image_sink_ = nullptr;
}

void SessionTable::Save(const Session& session) {
  if (image_sink_ == nullptr || session.image_ == image_) return;
  const_cast<Session&>(session).image_ = image_;
  image_sink_->OnSession(session);
}

}  // namespace drover::coord::tree
