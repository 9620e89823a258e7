#include "tests/sim/check/session_order.h"

#include <algorithm>
#include <cstddef>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace drover::sim::check {
namespace {

// One moment at which a request is judged, or adds to what later ones are judged by.
struct Moment {
  enum class What { kReceived, kSeen, kLastSent, kFirstSent };
  Stamp stamp;
  What what;
  std::size_t index;
};

// The newest zxid so far, and when that was.
struct Floor {
  base::Zxid zxid;
  Stamp stamp = 0;
  void Raise(base::Zxid to, Stamp at) {
    if (to > zxid) *this = {to, at};
  }
};

std::string Name(const SessionRequest& request) {
  return absl::StrCat(request.took_effect ? "write"
                      : request.is_write  ? "refused write"
                                          : "read",
                      " sent at ", request.first_sent, " and answered at ", request.received, " with zxid ", request.zxid.value);
}

}  // namespace

absl::Status CheckSessionOrder(const SessionTrace& trace) {
  std::vector<Moment> moments;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    const SessionRequest& request = trace.requests[i];
    moments.push_back({request.first_sent, Moment::What::kFirstSent, i});
    if (!request.is_write) moments.push_back({request.last_sent, Moment::What::kLastSent, i});
    moments.push_back({request.received, Moment::What::kReceived, i});
  }
  for (std::size_t i = 0; i < trace.sightings.size(); ++i) moments.push_back({trace.sightings[i].received, Moment::What::kSeen, i});
  std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
    return std::tie(a.stamp, a.what, a.index) < std::tie(b.stamp, b.what, b.index);
  });
  Floor sent;  // by requests, in the order of sending
  Floor seen;  // by the client
  auto error = [&trace](const SessionRequest& request, absl::string_view relation, const Floor& floor) {
    return absl::InternalError(absl::StrCat("session ", trace.session.value, ": the ", Name(request), " ", relation, " zxid ",
                                            floor.zxid.value, " at ", floor.stamp));
  };
  for (const Moment& moment : moments) {
    if (moment.what == Moment::What::kSeen) {
      seen.Raise(trace.sightings[moment.index].zxid, moment.stamp);
      continue;
    }
    const SessionRequest& request = trace.requests[moment.index];
    const bool is_old = request.zxid < sent.zxid || (request.took_effect && request.zxid == sent.zxid);
    switch (moment.what) {
      case Moment::What::kFirstSent:
        if (is_old) return error(request, "came behind a request that was sent before it and had", sent);
        if (request.zxid < seen.zxid || (request.took_effect && request.zxid == seen.zxid))
          return error(request, "was sent when its client had seen", seen);
        if (request.is_write) sent.Raise(request.zxid, moment.stamp);
        break;
      case Moment::What::kLastSent:
        sent.Raise(request.zxid, moment.stamp);
        break;
      case Moment::What::kReceived:
        if (!request.is_write && request.zxid < seen.zxid)
          return error(request, "shows an older state than its client had seen:", seen);
        seen.Raise(request.zxid, moment.stamp);
        break;
      case Moment::What::kSeen:
        break;
    }
  }
  return absl::OkStatus();
}

}  // namespace drover::sim::check
