// One stream to one node, and what the session machine knows of it.
#ifndef DROVER_COORD_CLIENT_LINK_H_
#define DROVER_COORD_CLIENT_LINK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "coord/base/connection.h"
#include "coord/base/time.h"

namespace drover::coord::client {

class Link final : private base::ConnectionEvents {
 public:
  class Owner {
   public:
    virtual void OnLinkFrame(Link* link, const base::Bytes& frame) = 0;
    virtual void OnLinkDrained(Link* link) = 0;
    // The link is dead; retire it.
    virtual void OnLinkClosed(Link* link, base::CloseCause cause, const absl::Status& status) = 0;

   protected:
    ~Owner() = default;
  };

  // Dials at once.
  Link(Owner* owner, base::Dialer* dialer, const std::string& address, std::size_t index, base::Instant now)
      : endpoint(index), opened_at(now), owner_(owner), connection_(dialer->Dial(address, this)) {}

  void Send(std::string frame) { connection_->Send(base::Bytes::Adopt(std::move(frame))); }
  // The transport has not taken all yet: what is to be sent meanwhile gathers in the next frame.
  [[nodiscard]] bool busy() const { return connection_->queued_bytes() > 0; }
  // No event comes to the owner afterwards; with `end`, the node hears that this end is done with the stream.
  void Detach(bool end) {
    owner_ = nullptr;
    if (end) connection_->Close(absl::OkStatus());
  }

  const std::size_t endpoint;
  const base::Instant opened_at;

  // Of the session machine:
  bool resuming = false;            // its first frame was a Resume
  std::uint64_t credits = 0;        // requests that may have been sent in all
  std::uint64_t requests_sent = 0;  // requests that have been
  struct Contact {
    std::uint64_t nonce;
    base::Instant sent_at;
  };
  std::optional<Contact> contact;  // the one not yet acknowledged
  std::uint64_t seen_sent = 0;     // newest seen-mark sent on it
  bool told_to_move = false;
  std::size_t move_tries = 0;
  bool turned_back_at_contact = false;  // writes were waiting to go out again when the last contact was sent

 private:
  void OnFrame(base::Bytes frame) override {
    if (owner_ != nullptr) owner_->OnLinkFrame(this, frame);
  }
  void OnDrained() override {
    if (owner_ != nullptr) owner_->OnLinkDrained(this);
  }
  void OnClosed(base::CloseCause cause, const absl::Status& status) override {
    if (owner_ != nullptr) owner_->OnLinkClosed(this, cause, status);
  }

  Owner* owner_;
  const std::unique_ptr<base::Connection> connection_;
};

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_LINK_H_
