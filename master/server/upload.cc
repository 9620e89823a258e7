#include "master/server/upload.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/store/names.h"
#include "coord/transport/message_bytes.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"

namespace drover::master::server {

namespace {

// A store that has lost its directory says NOT_FOUND: no answer to a client, who asked for nothing.
absl::Status CannotStore(const absl::Status& why) {
  if (absl::IsResourceExhausted(why) || absl::IsUnavailable(why)) return why;
  return absl::InternalError(absl::StrCat("this master cannot write to the pool's object store (", std::string(why.message()),
                                          "): bring its directory back, or begin a pool with another store"));
}

}  // namespace

Upload::Upload(base::Loop* loop, pool::PoolStore* store, UploadBudget* budget, std::uint64_t number,
               std::unique_ptr<transport::ClientStream> stream, std::function<void()> on_done, UploadOptions options)
    : loop_(loop),
      store_(store),
      budget_(budget),
      number_(number),
      stream_(std::move(stream)),
      on_done_(std::move(on_done)),
      options_(options),
      stalled_(loop) {
  ReadNext();
}

Upload::~Upload() {
  *alive_ = false;
  budget_->bytes -= reserved_;
}

void Upload::ReadNext() {
  stalled_.Set(options_.stalled_after,
               [this] { Answer(absl::DeadlineExceededError("nothing came for this upload for too long; try again")); });
  stream_->Read([this, alive = alive_](absl::StatusOr<std::optional<base::Bytes>> message) {
    if (!*alive || done_) return;
    stalled_.Cancel();
    if (!message.ok()) return Answer(message.status());
    if (!message->has_value()) return Put();
    OnMessage(**message);
  });
}

void Upload::OnMessage(const base::Bytes& bytes) {
  const auto message = transport::Decode<task::v1::UploadRequest>(bytes);
  if (!message.ok()) return Answer(message.status());
  if (message->has_header()) {
    if (has_header_) return Answer(absl::InvalidArgumentError("a second header"));
    has_header_ = true;
    task_ = message->header().task_id();
    size_ = message->header().size();
    if (!records::IsTaskId(task_)) return Answer(absl::InvalidArgumentError(records::kTaskIdRule));
    if (size_ > records::kObjectBytesMax) {
      return Answer(
          absl::ResourceExhaustedError(absl::StrCat("an object of ", size_, " bytes, at most ", records::kObjectBytesMax)));
    }
    if (auto store = store_->Now(); !store.ok()) return Answer(store.status());
    if (budget_->bytes + size_ > budget_->bytes_max) {
      return Answer(absl::UnavailableError("too many uploads are under way at this master; try again"));
    }
    budget_->bytes += size_;
    reserved_ = size_;
    data_.reserve(size_);
    return ReadNext();
  }
  if (!has_header_) return Answer(absl::InvalidArgumentError("the first message is the header"));
  if (message->chunk().size() > records::kUploadChunkBytesMax) {
    return Answer(absl::ResourceExhaustedError(
        absl::StrCat("a chunk of ", message->chunk().size(), " bytes, at most ", records::kUploadChunkBytesMax)));
  }
  if (data_.size() + message->chunk().size() > size_) return Answer(absl::InvalidArgumentError("more bytes than the header says"));
  data_.append(message->chunk());
  ReadNext();
}

void Upload::Put() {
  if (!has_header_ || data_.size() != size_) return Answer(absl::InvalidArgumentError("fewer bytes than the header says"));
  auto store = store_->Now();
  if (!store.ok()) return Answer(store.status());
  (*store)->Put(store::InputKey(task_, number_), base::Bytes::Adopt(std::move(data_)),
                [this, alive = alive_](absl::StatusOr<store::ObjectRef> put) {
                  if (!*alive) return;
                  if (!put.ok()) return Answer(CannotStore(put.status()));
                  task::v1::UploadResponse response;
                  response.mutable_object()->set_key(put->key);
                  response.mutable_object()->set_size(put->size);
                  response.mutable_object()->set_digest(store::DigestBytes(put->digest));
                  Answer(transport::Encode(response));
                });
}

void Upload::Answer(absl::StatusOr<base::Bytes> answer) {
  if (done_) return;
  done_ = true;
  stream_->Reply(std::move(answer));
  loop_->Post(on_done_);
}

}  // namespace drover::master::server
