#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/internal/task_client_impl.h"
#include "client/store/names.h"
#include "master/records/codec.h"

namespace drover::client {
namespace {

// A stream from a master that hangs looks like a program that prints nothing: each is left after this long and opened anew behind
// what was read.
constexpr auto kStreamLifetime = std::chrono::seconds(15);
constexpr auto kStoreLookupTimeout = std::chrono::seconds(5);

}  // namespace

absl::Status TaskClientImpl::ReadOutput(const OutputOptions& options, const OnData& on_data) {
  auto done = ReadEndedOutput(options, on_data);
  if (!done.ok()) return done.status();
  if (*done) return absl::OkStatus();

  std::uint64_t offset = options.offset;
  bool wanted = true;
  return calls_.RunStream(
      kStreamLifetime, Deadline::max(), options.stop,
      [&](TaskStub* stub, const CallLimits& limits, MasterCalls::News* news) -> absl::Status {
        task::v1::ReadOutputRequest request;
        request.set_id(options.id);
        request.set_attempt(options.attempt);
        request.set_stream(static_cast<task::v1::Stream>(options.stream));
        request.set_offset(offset);
        request.set_follow(options.follow);
        bool gap = false;
        const absl::Status status = stub->ReadOutput(
            request,
            [&](const task::v1::ReadOutputResponse& response) {
              *news = MasterCalls::News::kProgress;
              gap = response.offset() > offset;
              // What was read already is skipped; a hole would be a lie.
              if (gap) return false;
              absl::string_view data(response.data());
              data.remove_prefix(static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), offset - response.offset())));
              offset += data.size();
              return data.empty() || (wanted = on_data(data));
            },
            limits);
        if (gap) return absl::DataLossError(absl::StrCat("output of task ", options.id, " is missing bytes from ", offset, " on"));
        if (!wanted) return absl::OkStatus();
        // Nothing said for a while is what a quiet program looks like, and what a master looks like that hangs.
        if (options.follow && absl::IsDeadlineExceeded(status) && *news == MasterCalls::News::kNone)
          *news = MasterCalls::News::kQuiet;
        return status;
      });
}

absl::StatusOr<bool> TaskClientImpl::ReadEndedOutput(const OutputOptions& options, const OnData& on_data) {
  const Deadline deadline = parts_.waiter->Now() + kStoreLookupTimeout;
  if (!store_.Reachable(deadline)) return false;
  auto bytes = parts_.directory->Record(options.id, deadline);
  if (!bytes.ok() || !bytes->has_value()) return false;
  auto record = records::DecodeTaskRecord(**bytes);
  if (!record.ok() || !records::IsTerminal(record->state()) || record->attempts_total() == 0 || !record->has_output()) return false;
  if (options.attempt != 0 && options.attempt != record->attempts_total()) return false;
  if (absl::Status s = ReadFromStore(options, *record, on_data); !s.ok()) return s;
  return true;
}

absl::Status TaskClientImpl::ReadFromStore(const OutputOptions& options, const worker::v1::TaskRecord& record,
                                           const OnData& on_data) {
  const worker::v1::OutputStream& stream = records::StreamOf(record.output(), static_cast<task::v1::Stream>(options.stream));
  const std::uint64_t fence = record.attempts(record.attempts_size() - 1).fence();
  std::uint64_t at = 0;
  auto hand_over = [&](absl::string_view data) {
    const std::uint64_t begin = at;
    at += data.size();
    if (at <= options.offset) return true;
    if (begin < options.offset) data.remove_prefix(static_cast<std::size_t>(options.offset - begin));
    return on_data(data);
  };
  for (std::uint32_t chunk = 0; chunk < stream.chunks(); ++chunk) {
    if (options.stop.stop_requested()) return absl::CancelledError("stopped");
    auto data = store_.Get(store::OutputKey(options.id, fence, static_cast<store::Part>(options.stream), chunk));
    if (!data.ok()) return data.status();
    if (!hand_over(data->view())) return absl::OkStatus();
  }
  if (!stream.data().empty() && !hand_over(stream.data())) return absl::OkStatus();
  if (at != stream.size()) {
    return absl::DataLossError(
        absl::StrCat("output of task ", options.id, " has ", at, " bytes where its record says ", stream.size()));
  }
  return absl::OkStatus();
}

}  // namespace drover::client
