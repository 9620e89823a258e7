#include "tests/sim/sim_network.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"

namespace drover::sim {
namespace {

constexpr base::Duration kKnockAgain = std::chrono::milliseconds(200);

std::string HostOf(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

}  // namespace

// A frame, or the last word of a direction.
struct SimNetwork::Item {
  bool last = false;
  base::Bytes frame;
  base::CloseCause cause = base::CloseCause::kPeerGone;
  absl::Status status;
  base::Instant ready{};
};

struct SimNetwork::End {
  SimLoop* loop = nullptr;
  std::string host;
  base::ConnectionEvents* events = nullptr;
  bool open = false;  // its process lives, it was not closed or destroyed
  bool closing = false;
  absl::Status close_status;
  std::deque<base::Bytes> unsent;
  std::size_t unsent_bytes = 0;
  std::size_t carried_bytes = 0;  // taken from unsent, not yet seen by the receiver's loop
  bool take_scheduled = false;
};

struct SimNetwork::Pipe {
  std::deque<Item> items;
  base::Instant last_ready{};
  bool pumping = false;     // an event of the world will go on with it
  std::uint64_t epoch = 0;  // raised when what is in flight is dropped
};

struct SimNetwork::Link {
  std::uint64_t id = 0;
  std::array<End, 2> ends;
  std::array<Pipe, 2> pipes;  // [i] from end i
  bool established = false;
};

class SimNetwork::SimConnection final : public base::Connection {
 public:
  SimConnection(SimNetwork* network, LinkPtr link, int end) : network_(network), link_(std::move(link)), end_(end) {}
  ~SimConnection() override { network_->Destroyed(link_, end_); }

  void Send(base::Bytes frame) override {
    End& end = link_->ends[end_];
    if (!end.open || end.closing) return;
    end.unsent_bytes += frame.size();
    // A copy: two processes share no memory.
    end.unsent.push_back(base::Bytes::Copy(frame.view()));
    network_->ScheduleTake(link_, end_);
  }
  std::size_t queued_bytes() const override { return link_->ends[end_].unsent_bytes; }
  void Close(const absl::Status& status) override { network_->CloseEnd(link_, end_, status); }

 private:
  SimNetwork* const network_;
  const LinkPtr link_;
  const int end_;
};

class SimNetwork::SimDialer final : public base::Dialer {
 public:
  SimDialer(SimNetwork* network, SimLoop* loop, std::string host) : network_(network), loop_(loop), host_(std::move(host)) {}
  std::unique_ptr<base::Connection> Dial(const std::string& address, base::ConnectionEvents* events) override {
    return network_->Dial(loop_, host_, address, events);
  }

 private:
  SimNetwork* const network_;
  SimLoop* const loop_;
  const std::string host_;
};

SimNetwork::SimNetwork(SimWorld* world, Options options) : world_(world), options_(options) {}
SimNetwork::~SimNetwork() = default;

std::unique_ptr<base::Dialer> SimNetwork::NewDialer(SimLoop* loop, std::string host) {
  return std::make_unique<SimDialer>(this, loop, std::move(host));
}

void SimNetwork::Listen(SimLoop* loop, const std::string& address, Accept accept) {
  listeners_[address] = Listener{loop, std::move(accept)};
}

void SimNetwork::StopListening(const std::string& address) {
  listeners_.erase(address);
}

bool SimNetwork::Blocked(const std::string& from, const std::string& to) const {
  return cuts_.count({from, to}) > 0 || off_.count(from) > 0 || off_.count(to) > 0;
}

bool SimNetwork::Clear(const std::string& from, const std::string& to) const {
  const auto own = latencies_.find({from, to});
  return !Blocked(from, to) && (own == latencies_.end() || own->second.second <= options_.latency_max);
}

base::Duration SimNetwork::Latency(const std::string& from, const std::string& to) {
  const auto own = latencies_.find({from, to});
  if (own != latencies_.end()) return world_->Between(own->second.first, own->second.second);
  return world_->Between(options_.latency_min, options_.latency_max);
}

// Opening ---------------------------------------------------------------------------------------------------------------------

std::unique_ptr<base::Connection> SimNetwork::Dial(SimLoop* loop, const std::string& host, const std::string& address,
                                                   base::ConnectionEvents* events) {
  Forget();
  auto link = std::make_shared<Link>();
  link->id = ++last_link_;
  links_[link->id] = link;
  link->ends[0].loop = loop;
  link->ends[0].host = host;
  link->ends[0].events = events;
  link->ends[0].open = true;
  link->ends[1].host = HostOf(address);
  const base::Instant deadline = world_->Now() + options_.connect_timeout;
  world_->Schedule(nullptr, Latency(host, link->ends[1].host), [this, link, address, deadline] { Knock(link, address, deadline); });
  return std::make_unique<SimConnection>(this, link, 0);
}

void SimNetwork::Knock(const LinkPtr& link, const std::string& address, base::Instant deadline) {
  if (!link->ends[0].open) return;
  const std::string& from = link->ends[0].host;
  const std::string& to = link->ends[1].host;
  if (Blocked(from, to) || Blocked(to, from)) {
    if (world_->Now() >= deadline) {
      // The dialer's own clock says so: nothing has to cross the network.
      world_->Schedule(link->ends[0].loop, base::Duration::zero(), [link, address] {
        End& dialer = link->ends[0];
        if (!dialer.open || dialer.closing) return;
        dialer.open = false;
        dialer.events->OnClosed(base::CloseCause::kPeerGone,
                                absl::UnavailableError(absl::StrCat("connecting to ", address, " timed out")));
      });
      return;
    }
    world_->Schedule(nullptr, kKnockAgain, [this, link, address, deadline] { Knock(link, address, deadline); });
    return;
  }
  const auto listener = listeners_.find(address);
  if (listener == listeners_.end()) return Refuse(link, absl::StrCat("connecting to ", address, " was refused"));
  link->ends[1].loop = listener->second.loop;
  world_->Schedule(listener->second.loop, base::Duration::zero(), [this, link, address] { AcceptLink(link, address); });
}

void SimNetwork::AcceptLink(const LinkPtr& link, const std::string& address) {
  if (!link->ends[0].open) return;
  const auto listener = listeners_.find(address);
  if (listener == listeners_.end()) return Refuse(link, absl::StrCat("connecting to ", address, " was refused"));
  link->established = true;
  link->ends[1].open = true;
  const Accept accept = listener->second.accept;  // the callback may stop or replace the listener
  base::ConnectionEvents* const events = accept(std::make_unique<SimConnection>(this, link, 1));
  link->ends[1].events = events;
  DROVER_CHECK(events != nullptr || !link->ends[1].open) << "refused by Accept, but kept";
  ScheduleTake(link, 0);
}

void SimNetwork::Refuse(const LinkPtr& link, const std::string& words) {
  Append(link, 1, Item{.last = true, .status = absl::UnavailableError(words)});
}

// Carrying --------------------------------------------------------------------------------------------------------------------

void SimNetwork::Append(const LinkPtr& link, int from, Item item) {
  Pipe& pipe = link->pipes[from];
  item.ready = std::max(pipe.last_ready, world_->Now() + Latency(link->ends[from].host, link->ends[1 - from].host));
  pipe.last_ready = item.ready;
  pipe.items.push_back(std::move(item));
  Pump(link, from);
}

void SimNetwork::Pump(const LinkPtr& link, int from) {
  Pipe& pipe = link->pipes[from];
  if (pipe.pumping || pipe.items.empty()) return;
  pipe.pumping = true;
  world_->Schedule(nullptr, pipe.items.front().ready - world_->Now(), [this, link, from, epoch = pipe.epoch] {
    if (link->pipes[from].epoch == epoch) Arrive(link, from);
  });
}

// At the receiver's kernel.
void SimNetwork::Arrive(const LinkPtr& link, int from) {
  Pipe& pipe = link->pipes[from];
  End& to = link->ends[1 - from];
  if (Blocked(link->ends[from].host, to.host)) {
    pipe.pumping = false;  // SendAgain goes on with it
    return;
  }
  Item item = std::move(pipe.items.front());
  pipe.items.pop_front();
  if (to.open) {
    world_->Schedule(to.loop, base::Duration::zero(), [this, link, from, epoch = pipe.epoch, item = std::move(item)]() mutable {
      if (link->pipes[from].epoch == epoch) Deliver(link, from, std::move(item));
    });
    return;
  }
  pipe.pumping = false;
  if (!item.last && link->ends[from].open) {
    Append(link, 1 - from, Item{.last = true, .status = absl::UnavailableError("connection reset by peer")});
  }
  Pump(link, from);
}

// In the receiver's process.
void SimNetwork::Deliver(const LinkPtr& link, int from, Item item) {
  End& sender = link->ends[from];
  End& to = link->ends[1 - from];
  link->pipes[from].pumping = false;
  sender.carried_bytes -= item.frame.size();
  if (!sender.unsent.empty()) ScheduleTake(link, from);
  Pump(link, from);
  if (!to.open || to.closing) return;
  if (item.last) {
    to.open = false;
    to.unsent.clear();
    to.unsent_bytes = 0;
    to.events->OnClosed(item.cause, item.status);
  } else {
    ++frames_delivered_;
    to.events->OnFrame(std::move(item.frame));
  }
}

void SimNetwork::ScheduleTake(const LinkPtr& link, int end) {
  End& e = link->ends[end];
  if (e.take_scheduled || !e.open || !link->established) return;
  e.take_scheduled = true;
  world_->Schedule(e.loop, base::Duration::zero(), [this, link, end] { Take(link, end); });
}

void SimNetwork::Take(const LinkPtr& link, int end) {
  End& e = link->ends[end];
  e.take_scheduled = false;
  if (!e.open) return;
  const bool had_frames = !e.unsent.empty();
  while (!e.unsent.empty() && e.carried_bytes < options_.window_bytes) {
    base::Bytes frame = std::move(e.unsent.front());
    e.unsent.pop_front();
    e.unsent_bytes -= frame.size();
    e.carried_bytes += frame.size();
    Append(link, end, Item{.frame = std::move(frame)});
  }
  if (!e.unsent.empty()) return;
  if (e.closing) {
    Append(link, end, Item{.last = true, .cause = base::CloseCause::kPeerClosed, .status = e.close_status});
    e.open = false;
    e.events->OnClosed(base::CloseCause::kLocal, e.close_status);
  } else if (had_frames) {
    e.events->OnDrained();
  }
}

// Ending ----------------------------------------------------------------------------------------------------------------------

void SimNetwork::CloseEnd(const LinkPtr& link, int end, const absl::Status& status) {
  End& e = link->ends[end];
  if (!e.open || e.closing) return;
  e.closing = true;
  e.close_status = status;
  if (link->established) {
    ScheduleTake(link, end);
    return;
  }
  // Nobody is there yet to send to.
  world_->Schedule(e.loop, base::Duration::zero(), [link, end] {
    End& closing = link->ends[end];
    if (!closing.open) return;
    closing.open = false;
    closing.events->OnClosed(base::CloseCause::kLocal, closing.close_status);
  });
}

void SimNetwork::Destroyed(const LinkPtr& link, int end) {
  End& e = link->ends[end];
  if (!e.open) return;
  e.open = false;
  if (e.closing && link->established) {
    // Closed before it was destroyed: what is queued, and the status, still go out.
    for (base::Bytes& frame : e.unsent) {
      e.carried_bytes += frame.size();
      Append(link, end, Item{.frame = std::move(frame)});
    }
    e.unsent.clear();
    Append(link, end, Item{.last = true, .cause = base::CloseCause::kPeerClosed, .status = e.close_status});
    return;
  }
  e.unsent.clear();
  if (link->established) Append(link, end, Item{.last = true, .status = absl::CancelledError("the peer cancelled the stream")});
}

void SimNetwork::Drop(const LinkPtr& link, int from) {
  Pipe& pipe = link->pipes[from];
  ++pipe.epoch;
  pipe.pumping = false;
  pipe.items.clear();
  link->ends[from].carried_bytes = 0;
}

void SimNetwork::Reset(const std::string& a, const std::string& b) {
  for (const auto& [id, link] : links_) {
    const bool between =
        (link->ends[0].host == a && link->ends[1].host == b) || (link->ends[0].host == b && link->ends[1].host == a);
    if (!between || !link->established) continue;
    for (const int from : {0, 1}) {
      link->ends[from].unsent.clear();
      link->ends[from].unsent_bytes = 0;
      Drop(link, from);
      Append(link, from, Item{.last = true, .status = absl::UnavailableError("connection reset")});
    }
  }
}

void SimNetwork::Kill(const std::string& host) {
  for (auto listener = listeners_.begin(); listener != listeners_.end();) {
    listener = HostOf(listener->first) == host ? listeners_.erase(listener) : std::next(listener);
  }
  for (const auto& [id, link] : links_) {
    for (const int end : {0, 1}) {
      End& e = link->ends[end];
      const bool unaccepted = end == 1 && !link->established && e.loop != nullptr;
      if (e.host != host || !(e.open || unaccepted)) continue;
      e.open = false;
      e.unsent.clear();
      Drop(link, 1 - end);
      Append(link, end, Item{.last = true, .status = absl::UnavailableError("the peer is gone")});
    }
  }
}

void SimNetwork::PowerOff(const std::string& host) {
  off_.insert(host);
  for (auto listener = listeners_.begin(); listener != listeners_.end();) {
    listener = HostOf(listener->first) == host ? listeners_.erase(listener) : std::next(listener);
  }
  for (const auto& [id, link] : links_) {
    for (const int end : {0, 1}) {
      End& e = link->ends[end];
      if (e.host != host) continue;
      // Its process was about to accept, or it was being refused: the dialer hears of that after PowerOn.
      const bool refusing = link->pipes[end].pumping || !link->pipes[end].items.empty();
      const bool unanswered = end == 1 && !link->established && (e.loop != nullptr || refusing);
      e.open = false;
      e.unsent.clear();
      Drop(link, end);
      if (unanswered) Append(link, end, Item{.last = true, .status = absl::UnavailableError("connection reset by peer")});
      // What the peer has in flight is retransmitted after PowerOn and then answered by a reset.
      Pipe& incoming = link->pipes[1 - end];
      ++incoming.epoch;
      incoming.pumping = false;
      if (link->ends[1 - end].carried_bytes > 0 && incoming.items.empty()) incoming.items.push_back(Item{.ready = world_->Now()});
    }
  }
}

void SimNetwork::PowerOn(const std::string& host) {
  off_.erase(host);
  SendAgain();
}

// Faults of the paths ---------------------------------------------------------------------------------------------------------

void SimNetwork::Cut(const std::string& from, const std::string& to) {
  cuts_.insert({from, to});
}

void SimNetwork::Heal(const std::string& from, const std::string& to) {
  cuts_.erase({from, to});
  SendAgain();
}

void SimNetwork::CutPair(const std::string& a, const std::string& b) {
  Cut(a, b);
  Cut(b, a);
}

void SimNetwork::HealPair(const std::string& a, const std::string& b) {
  Heal(a, b);
  Heal(b, a);
}

void SimNetwork::HealAll() {
  cuts_.clear();
  SendAgain();
}

void SimNetwork::SetLatency(const std::string& from, const std::string& to, base::Duration min, base::Duration max) {
  latencies_[{from, to}] = {min, max};
}

void SimNetwork::SendAgain() {
  for (const auto& [id, link] : links_) {
    for (const int from : {0, 1}) {
      if (!Blocked(link->ends[from].host, link->ends[1 - from].host)) Pump(link, from);
    }
  }
}

void SimNetwork::Forget() {
  for (auto link = links_.begin(); link != links_.end();) {
    const bool over = !link->second->ends[0].open && !link->second->ends[1].open;
    link = over ? links_.erase(link) : std::next(link);
  }
}

}  // namespace drover::sim
