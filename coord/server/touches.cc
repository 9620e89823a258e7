#include "coord/server/touches.h"

#include <algorithm>
#include <utility>

namespace drover::coord::server {

void Touches::Contact(base::SessionId session, tree::StreamId stream, std::uint64_t contact) {
  next_.heard.insert(session);
  next_.contacts[session] = Confirmed{session, stream, contact};
}

Touch Touches::Take() {
  Gathered gathered = std::exchange(next_, {});
  Touch touch;
  touch.sequence = ++last_sequence_;
  touch.contacts.assign(gathered.heard.begin(), gathered.heard.end());
  touch.attached = std::move(gathered.attached);
  touch.broken = std::move(gathered.broken);
  if (!gathered.contacts.empty()) sent_.push_back({touch.sequence, std::move(gathered.contacts)});
  return touch;
}

std::vector<Touches::Confirmed> Touches::OnAck(const TouchAck& ack) {
  std::vector<Confirmed> confirmed;
  const auto known = [&ack](const Sent& sent) { return sent.sequence == ack.sequence; };
  if (std::none_of(sent_.begin(), sent_.end(), known)) return confirmed;
  for (bool done = false; !done;) {
    done = sent_.front().sequence == ack.sequence;
    for (auto& [session, contact] : sent_.front().contacts) {
      if (std::find(ack.denied.begin(), ack.denied.end(), session) == ack.denied.end()) confirmed.push_back(contact);
    }
    sent_.pop_front();
  }
  return confirmed;
}

std::vector<Touches::Confirmed> Touches::Stop() {
  Restart({});
  std::vector<Confirmed> contacts;
  for (auto& [session, contact] : std::exchange(next_, {}).contacts) contacts.push_back(contact);
  return contacts;
}

void Touches::Restart(std::vector<Attachment> attached) {
  next_.attached = std::move(attached);
  next_.broken.clear();
  for (Sent& sent : sent_) {
    for (auto& [session, contact] : sent.contacts) {
      next_.heard.insert(session);
      next_.contacts.try_emplace(session, contact);
    }
  }
  sent_.clear();
}

}  // namespace drover::coord::server
