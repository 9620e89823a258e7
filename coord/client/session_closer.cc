#include "drover/coord/session_closer.h"

#include <algorithm>
#include <utility>

#include "coord/base/check.h"
#include "coord/base/connection.h"
#include "coord/base/loop.h"
#include "coord/client/codec.h"
#include "coord/client/link.h"
#include "coord/client/redial.h"

namespace drover::coord {
namespace client {
namespace {

// Resume, write the end, resume again: only NOT_FOUND is believed. The number of the write is a guess (last_write may lag behind a
// write of the dead owner that is still on its way), so an answer to it proves nothing; it only makes the next look worth while at
// once.
class Closer final : public SessionCloser, private Link::Owner {
 public:
  Closer(base::Loop* loop, base::Dialer* dialer, SessionTicket ticket, SessionCloserOptions options, DoneCallback done)
      : loop_(loop),
        dialer_(dialer),
        ticket_(std::move(ticket)),
        options_(std::move(options)),
        done_(std::move(done)),
        seen_(ticket_.id.value),
        redial_(options_.endpoints.size(), 0, options_.retry_min, options_.retry_max),
        redial_timer_(loop),
        attempt_timer_(loop) {
    DialNext();
  }

  ~Closer() override {
    if (link_ != nullptr) Retire();
  }

 private:
  void DialNext() {
    const Redial::Dial next = redial_.Next();
    redial_timer_.Set(next.delay, [this, next] { Dial(next.endpoint); });
  }

  void Dial(std::size_t endpoint) {
    number_ = 0;
    link_ = std::make_unique<Link>(static_cast<Link::Owner*>(this), dialer_, options_.endpoints[endpoint], endpoint, loop_->Now());
    std::string frame;
    AppendResume(&frame, ticket_.id, ticket_.secret, seen_, 0);
    link_->Send(std::move(frame));
    attempt_timer_.Set(options_.attempt_timeout, [this] {
      Retire();
      DialNext();
    });
  }

  void Retire() {
    attempt_timer_.Cancel();
    link_->Detach(false);
    if (in_callback_) {
      loop_->Post([retired = std::move(link_)] {});
    } else {
      link_.reset();
    }
  }

  void OnLinkFrame(Link* /*link*/, const base::Bytes& bytes) override {
    in_callback_ = true;
    FrameView frame;
    if (!FrameView::Parse(bytes.view(), &frame)) {
      Retire();
      DialNext();
    } else {
      if (frame.grant.has_value()) number_ = frame.grant->last_write + 1;
      link_->credits = std::max(link_->credits, frame.credits);
      if (number_ != 0 && link_->credits > 0 && link_->requests_sent == 0) {
        std::string close;
        AppendNumbered(&close, number_, EncodeCloseSession());
        link_->requests_sent = 1;
        link_->Send(std::move(close));
      }
      if (SawAnswer(frame)) {
        const std::size_t endpoint = link_->endpoint;
        Retire();
        if (std::exchange(looked_at_once_, true)) {
          DialNext();
        } else {
          redial_timer_.Set(base::Duration{0}, [this, endpoint] { Dial(endpoint); });
        }
      }
    }
    in_callback_ = false;
  }

  [[nodiscard]] bool SawAnswer(const FrameView& frame) {
    bool saw = false;
    base::RepeatedBytes items = frame.items();
    absl::string_view item;
    while (items.Next(&item)) {
      base::WireReader in(item);
      while (in.Next()) {
        AnswerView answer;
        if (!in.Is(1, base::WireType::kBytes) || !AnswerView::Parse(in.bytes(), &answer) || answer.number != number_) continue;
        seen_ = std::max(seen_, answer.zxid);
        saw = true;
      }
    }
    return saw;
  }

  void OnLinkDrained(Link* /*link*/) override {}

  void OnLinkClosed(Link* /*link*/, base::CloseCause cause, const absl::Status& status) override {
    in_callback_ = true;
    Retire();
    in_callback_ = false;
    if (cause == base::CloseCause::kPeerClosed && status.code() == absl::StatusCode::kNotFound) return Done(absl::OkStatus());
    if (cause == base::CloseCause::kPeerClosed && status.code() == absl::StatusCode::kUnauthenticated) {
      return Done(RefusedError(Code::kInvalidArgument, "the ticket's secret is wrong"));
    }
    DialNext();
  }

  void Done(const absl::Status& status) {
    DoneCallback done = std::move(done_);  // it may destroy this
    done(status);
  }

  base::Loop* const loop_;
  base::Dialer* const dialer_;
  const SessionTicket ticket_;
  const SessionCloserOptions options_;
  DoneCallback done_;
  Zxid seen_;
  Redial redial_;
  std::unique_ptr<Link> link_;
  std::uint64_t number_ = 0;
  bool looked_at_once_ = false;
  bool in_callback_ = false;
  base::Timer redial_timer_;
  base::Timer attempt_timer_;
};

}  // namespace
}  // namespace client

std::unique_ptr<SessionCloser> SessionCloser::Start(base::Loop* loop, base::Dialer* dialer, SessionTicket ticket,
                                                    SessionCloserOptions options, DoneCallback done) {
  DROVER_CHECK(!options.endpoints.empty()) << "a session closer needs at least one endpoint";
  return std::make_unique<client::Closer>(loop, dialer, std::move(ticket), std::move(options), std::move(done));
}

}  // namespace drover::coord
