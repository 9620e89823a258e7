#include "coord/client/snapshot_fetch.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/message_bytes.h"
#include "coord/transport/unary_client.h"
#include "drover/coord/v1/coord.pb.h"

namespace drover::coord {
namespace {

constexpr base::Duration kAskStop = std::chrono::milliseconds(50);

// One fetch on a loop of its own.
class Fetch {
 public:
  Fetch(const std::string& endpoint, base::Duration patience, absl::FunctionRef<absl::Status(absl::string_view)> take,
        absl::FunctionRef<bool()> stop)
      : endpoint_(endpoint), patience_(patience), take_(take), stop_(stop), client_(&loop_), silence_(&loop_), ask_(&loop_) {}

  absl::Status Run() {
    transport::CallOptions options;
    options.timeout = base::Duration::zero();  // a large one takes long; silence is what is bounded
    call_ = client_.CallForStream(endpoint_, "/drover.coord.v1.Coordination/SaveSnapshot",
                                  transport::Encode(v1::SaveSnapshotRequest()), std::move(options));
    Read();
    AskStop();
    loop_.Run();
    call_.reset();
    return result_;
  }

 private:
  void Read() {
    silence_.Set(patience_, [this] {
      End(absl::DeadlineExceededError(absl::StrCat(endpoint_, " has sent nothing for ", base::ToMillis(patience_), " ms")));
    });
    call_->Read([this](absl::StatusOr<std::optional<base::Bytes>> got) { OnRead(std::move(got)); });
  }

  void OnRead(absl::StatusOr<std::optional<base::Bytes>> got) {
    if (ended_) return;
    if (!got.ok()) return End(got.status());
    if (!*got) return End(absl::OkStatus());
    const absl::StatusOr<v1::SnapshotPiece> piece = transport::Decode<v1::SnapshotPiece>(**got);
    if (!piece.ok()) return End(piece.status());
    const absl::Status taken = take_(piece->data());
    if (!taken.ok()) return End(taken);
    Read();
  }

  void AskStop() {
    if (stop_()) return End(absl::CancelledError("interrupted"));
    ask_.Set(kAskStop, [this] { AskStop(); });
  }

  void End(const absl::Status& status) {
    if (std::exchange(ended_, true)) return;
    result_ = status;
    silence_.Cancel();
    ask_.Cancel();
    loop_.Stop();
  }

  const std::string endpoint_;
  const base::Duration patience_;
  const absl::FunctionRef<absl::Status(absl::string_view)> take_;
  const absl::FunctionRef<bool()> stop_;
  absl::Status result_;
  bool ended_ = false;
  transport::CqLoop loop_;
  transport::UnaryClient client_;
  base::Timer silence_;
  base::Timer ask_;
  std::unique_ptr<transport::ServerStreamCall> call_;
};

}  // namespace

absl::Status FetchSnapshot(const std::string& endpoint, base::Duration patience,
                           absl::FunctionRef<absl::Status(absl::string_view)> take, absl::FunctionRef<bool()> stop) {
  return Fetch(endpoint, patience, take, stop).Run();
}

}  // namespace drover::coord
