// coord/client/codec.h and reply.h: a node's frame as a client reads it: grant, answers to whatever was asked, events.
//
// An input is which callback waits for the answers (1 byte), then the frame.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/check.h"
#include "coord/client/chroot.h"
#include "coord/client/codec.h"
#include "coord/client/reply.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord;          // NOLINT
using namespace coord::client;  // NOLINT

// A client waits for one call of its callback, whatever the answer is.
int calls = 0;

template <typename T>
Callback<T> Wait() {
  return [](absl::StatusOr<T> result) {
    ++calls;
    if (!result.ok()) DROVER_CHECK(!result.status().message().empty());
  };
}

Reply ReplyOf(std::uint8_t which) {
  switch (which % 17) {
    case 1:
      return Wait<CreateResult>();
    case 2:
      return Wait<SetResult>();
    case 3:
      return Wait<DeleteResult>();
    case 4:
      return Wait<DeleteSubtreeResult>();
    case 5:
      return Wait<MultiReadResult>();
    case 6:
      return Wait<CountResult>();
    case 7:
      return Wait<TransactionResult>();
    case 8:
      return Wait<GetResult>();
    case 9:
      return Wait<ExistsResult>();
    case 10:
      return Wait<ChildrenPage>();
    case 11:
      return Wait<ListPage>();
    case 12:
      return Wait<AclResult>();
    case 13:
      return Wait<IdentitiesResult>();
    case 14:
      return Wait<QuotasPage>();
    case 15:
      return Wait<Zxid>();
    case 16:
      return DoneCallback([](const absl::Status&) { ++calls; });
    default:
      return std::monostate();
  }
}

void CheckAnswer(std::uint8_t which, absl::string_view bytes) {
  AnswerView answer;
  {
    const AllocationBound nothing(0, 0, 0);
    if (!AnswerView::Parse(bytes, &answer)) return;
  }
  for (const absl::string_view part : {answer.message, answer.path, answer.data, answer.transaction, answer.acl}) {
    DROVER_CHECK(Within(part, bytes));
  }
  for (const char* root : {"/", "/a"}) {
    calls = 0;
    const AllocationBound bound(bytes.size(), 1024);
    Deliver(ReplyOf(which), answer, Chroot(root));
    DROVER_CHECK(calls == (which % 17 == 0 ? 0 : 1));
  }
}

void CheckEvent(absl::string_view bytes) {
  EventView event;
  const AllocationBound bound(bytes.size(), 64);
  (void)EventView::Parse(bytes, &event);
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  Input input(data, size);
  const std::uint8_t which = input.Byte();
  const absl::string_view bytes = input.Rest();
  FrameView frame;
  {
    const AllocationBound nothing(0, 0, 0);
    if (!FrameView::Parse(bytes, &frame)) return 0;
  }
  if (frame.grant) DROVER_CHECK(Within(frame.grant->secret, bytes));
  absl::string_view item;
  for (drover::base::RepeatedBytes items = frame.items(); items.Next(&item);) {
    DROVER_CHECK(Within(item, bytes));
    drover::base::WireReader in(item);
    while (in.Next()) {
      if (in.Is(1, drover::base::WireType::kBytes)) CheckAnswer(which, in.bytes());
      if (in.Is(2, drover::base::WireType::kBytes)) CheckEvent(in.bytes());
    }
  }
  return 0;
}
