#include "coord/transport/unary_client.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/transport/cq_internal.h"
#include "coord/transport/frame_bytes.h"
#include "coord/transport/link.h"
#include "grpcpp/generic/generic_stub.h"

namespace drover::transport {
namespace {

void Prepare(const CallOptions& options, grpc::ClientContext* context) {
  if (options.timeout > base::Duration::zero()) {
    context->set_deadline(std::chrono::system_clock::now() +
                          std::chrono::duration_cast<std::chrono::microseconds>(options.timeout));
  }
  AddMetadata(options.metadata, context);
}

// Links by address. Calls share it, since they may outlive the client while gRPC finishes them.
class Links {
 public:
  explicit Links(LinkOptions options) : options_(options) {}

  std::shared_ptr<grpc::Channel> Get(const std::string& address) {
    std::shared_ptr<grpc::Channel>& link = links_[address];
    if (link == nullptr) link = OpenLink(address, options_);
    return link;
  }
  void Drop(const std::string& address, const std::shared_ptr<grpc::Channel>& link) {
    const auto found = links_.find(address);
    if (found != links_.end() && found->second == link) links_.erase(found);
  }
  [[nodiscard]] const LinkOptions& options() const { return options_; }

 private:
  const LinkOptions options_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> links_;
};

absl::Status TooLarge(std::size_t size, std::size_t size_max) {
  return absl::ResourceExhaustedError(absl::StrCat("an answer of ", size, " bytes; at most ", size_max, " are taken"));
}

// What both kinds of call have in common: a link, a context, and dropping the link when it turns out to be broken.
class ClientCall : public Call {
 public:
  ClientCall(CqLoop::Impl* loop, std::shared_ptr<Links> links, std::string address, const CallOptions& options)
      : Call(loop), links_(std::move(links)), address_(std::move(address)), link_(links_->Get(address_)) {
    Prepare(options, &context_);
  }
  void Cut() override { context_.TryCancel(); }

 protected:
  grpc::ClientContext* context() { return &context_; }
  [[nodiscard]] const std::shared_ptr<grpc::Channel>& link() const { return link_; }
  [[nodiscard]] std::size_t receive_bytes_max() const { return links_->options().receive_bytes_max; }
  absl::Status Judge(const grpc::Status& status) {
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !EndedByServer(context_)) links_->Drop(address_, link_);
    return ToAbsl(status);
  }

 private:
  const std::shared_ptr<Links> links_;
  const std::string address_;
  const std::shared_ptr<grpc::Channel> link_;
  grpc::ClientContext context_;
};

class UnaryCall final : public ClientCall {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<base::Bytes>)>;

  UnaryCall(CqLoop::Impl* loop, std::shared_ptr<Links> links, const std::string& address, const std::string& method,
            const base::Bytes& request, const CallOptions& options, Done done)
      : ClientCall(loop, std::move(links), address, options), done_(std::move(done)), finish_op_(this, &UnaryCall::OnFinished) {
    reader_ = grpc::GenericStub(link()).PrepareUnaryCall(context(), method, ToByteBuffer(request), loop->queue());
    reader_->StartCall();
    reader_->Finish(&answer_, &status_, finish_op_.Begin());
  }

  class Handle final : public PendingCall {
   public:
    explicit Handle(UnaryCall* call) : call_(call) {}
    ~Handle() override {
      call_->done_ = nullptr;
      call_->Cut();
      call_->LetGo();
    }

   private:
    UnaryCall* const call_;
  };

 private:
  void OnFinished(bool /*ok*/) {
    const absl::Status status = Judge(status_);
    if (!done_) return;
    Done done = std::exchange(done_, nullptr);
    if (!status.ok()) return done(status);
    if (answer_.Length() > receive_bytes_max()) return done(TooLarge(answer_.Length(), receive_bytes_max()));
    base::Bytes answer = FromByteBuffer(answer_);
    answer_.Clear();
    done(std::move(answer));
  }

  Done done_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  grpc::ByteBuffer answer_;
  grpc::Status status_;
  Op finish_op_;
};

class StreamedCall final : public ClientCall {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::optional<base::Bytes>>)>;

  StreamedCall(CqLoop::Impl* loop, std::shared_ptr<Links> links, const std::string& address, const std::string& method,
               const base::Bytes& request, const CallOptions& options)
      : ClientCall(loop, std::move(links), address, options),
        request_(ToByteBuffer(request)),
        start_op_(this, &StreamedCall::OnStarted),
        write_op_(this, &StreamedCall::OnWritten),
        read_op_(this, &StreamedCall::OnRead),
        finish_op_(this, &StreamedCall::OnFinished) {
    stream_ = grpc::GenericStub(link()).PrepareCall(context(), method, loop->queue());
    stream_->StartCall(start_op_.Begin());
  }

  class Handle final : public ServerStreamCall {
   public:
    explicit Handle(StreamedCall* call) : call_(call) {}
    ~Handle() override {
      call_->done_ = nullptr;
      call_->Cut();
      call_->LetGo();
    }
    void Read(Done done) override { call_->Read(std::move(done)); }

   private:
    StreamedCall* const call_;
  };

  // Answers a read that came after the end.
  bool Flush() override {
    if (!ended_ || !done_) return false;
    Deliver();
    return true;
  }

 private:
  void Read(Done done) {
    DROVER_CHECK(!done_) << "one read at a time";
    done_ = std::move(done);
    if (ended_) {
      FlushSoon();
    } else if (!read_op_.out() && !finish_op_.out()) {
      stream_->Read(&message_, read_op_.Begin());
    }
  }

  void OnStarted(bool ok) {
    if (ok) stream_->Write(request_, grpc::WriteOptions().set_last_message(), write_op_.Begin());
    request_.Clear();
  }
  void OnWritten(bool /*ok*/) {}

  void OnRead(bool ok) {
    if (!ok) {
      stream_->Finish(&status_, finish_op_.Begin());
      return;
    }
    if (!done_) return;
    Done done = std::exchange(done_, nullptr);
    if (message_.Length() > receive_bytes_max()) {
      const absl::Status refusal = TooLarge(message_.Length(), receive_bytes_max());
      Cut();
      return done(refusal);
    }
    base::Bytes message = FromByteBuffer(message_);
    message_.Clear();
    done(std::optional<base::Bytes>(std::move(message)));
  }

  void OnFinished(bool /*ok*/) {
    end_ = Judge(status_);
    ended_ = true;
    if (done_) Deliver();
  }

  void Deliver() {
    Done done = std::exchange(done_, nullptr);
    if (end_.ok()) {
      done(std::optional<base::Bytes>());
    } else {
      done(end_);
    }
  }

  grpc::ByteBuffer request_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  Done done_;
  grpc::ByteBuffer message_;
  grpc::Status status_;
  absl::Status end_;
  bool ended_ = false;
  Op start_op_;
  Op write_op_;
  Op read_op_;
  Op finish_op_;
};

}  // namespace

class UnaryClient::Impl {
 public:
  Impl(CqLoop* l, LinkOptions options) : loop(l->impl()), links(std::make_shared<Links>(options)) {}

  CqLoop::Impl* const loop;
  const std::shared_ptr<Links> links;
};

UnaryClient::UnaryClient(CqLoop* loop, LinkOptions options) : impl_(std::make_unique<Impl>(loop, options)) {}
UnaryClient::~UnaryClient() = default;

std::unique_ptr<PendingCall> UnaryClient::Call(const std::string& address, const std::string& method, base::Bytes request,
                                               CallOptions options, absl::AnyInvocable<void(absl::StatusOr<base::Bytes>)> done) {
  // The call owns itself; the handle lets it go.
  return std::make_unique<UnaryCall::Handle>(
      new UnaryCall(impl_->loop, impl_->links, address, method, request, options, std::move(done)));
}

std::unique_ptr<ServerStreamCall> UnaryClient::CallForStream(const std::string& address, const std::string& method,
                                                             base::Bytes request, CallOptions options) {
  return std::make_unique<StreamedCall::Handle>(new StreamedCall(impl_->loop, impl_->links, address, method, request, options));
}

// ---- blocking ----

class BlockingUnary::Impl {
 public:
  explicit Impl(LinkOptions options) : client(&loop, options) {}

  CqLoop loop;
  UnaryClient client;
};

BlockingUnary::BlockingUnary(LinkOptions options) : impl_(std::make_unique<Impl>(options)) {}
BlockingUnary::~BlockingUnary() = default;

absl::StatusOr<base::Bytes> BlockingUnary::Call(const std::string& address, const std::string& method, base::Bytes request,
                                                CallOptions options) {
  absl::StatusOr<base::Bytes> answer = absl::UnknownError("not answered");
  bool answered = false;
  const std::unique_ptr<PendingCall> call = impl_->client.Call(address, method, std::move(request), std::move(options),
                                                               [&answer, &answered](absl::StatusOr<base::Bytes> got) {
                                                                 answer = std::move(got);
                                                                 answered = true;
                                                               });
  impl_->loop.impl()->Pump([&answered] { return answered; });
  return answer;
}

}  // namespace drover::transport
