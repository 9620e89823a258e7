#include "master/server/gateway.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/transport/message_bytes.h"
#include "master/records/codec.h"
#include "master/records/paths.h"

namespace drover::master::server {
namespace {

constexpr char kForwardedKey[] = "drover-forwarded-by";
constexpr base::Duration kForwardTimeout = std::chrono::seconds(30);

// Of a call that is handed on.
transport::Metadata HandedOn(const transport::CallInfo& info) {
  transport::Metadata metadata = {{kForwardedKey, "1"}};
  for (const auto& [key, value] : info.metadata) {
    if (key == records::kPoolKey) metadata.emplace_back(key, value);
  }
  return metadata;
}

std::string MethodName(const char* method) {
  return absl::StrCat("/", kTaskServiceName, "/", method);
}

}  // namespace

Gateway::Gateway(transport::CqLoop* loop, const std::vector<PoolParts>& pools, base::Random* random, TaskServiceOptions options)
    : loop_(loop), random_(random), client_(loop) {
  for (const PoolParts& parts : pools) {
    pools_.push_back(std::unique_ptr<Pool>(new Pool{parts, TaskService(loop, parts.master, parts.store, random, options)}));
  }
}

Gateway::~Gateway() = default;

absl::StatusOr<Gateway::Pool*> Gateway::PoolOf(const transport::CallInfo& info) {
  const auto named =
      std::find_if(info.metadata.begin(), info.metadata.end(), [](const auto& m) { return m.first == records::kPoolKey; });
  if (named == info.metadata.end()) return pools_.front().get();
  for (const auto& pool : pools_) {
    if (pool->parts.name == named->second) return pool.get();
  }
  return absl::NotFoundError(absl::StrCat("this master does not stand for pool ", records::Clip(named->second, 80)));
}

absl::StatusOr<std::string> Gateway::Route(const Pool& pool, const transport::CallInfo& info) {
  const Master& master = *pool.parts.master;
  if (master.serving()) return std::string();
  const bool forwarded =
      std::any_of(info.metadata.begin(), info.metadata.end(), [](const auto& m) { return m.first == kForwardedKey; });
  if (forwarded) return absl::UnavailableError("the master this call was handed on to does not lead; try again");
  for (const MasterInfo& candidate : master.masters()) {
    if (!candidate.leader) continue;
    if (candidate.self) return absl::UnavailableError("this master was elected a moment ago and is not current yet; try again");
    if (candidate.address.empty()) break;
    return candidate.address;
  }
  return absl::UnavailableError("no master is elected now; try again");
}

void Gateway::Forward(const std::string& address, base::Bytes request, const transport::CallInfo& info,
                      transport::UnaryReply reply) {
  const std::uint64_t id = ++last_;
  transport::CallOptions options;
  options.timeout = info.time_left.value_or(kForwardTimeout);
  options.metadata = HandedOn(info);
  calls_[id] = client_.Call(address, info.method, std::move(request), std::move(options),
                            [this, id, reply = std::move(reply)](absl::StatusOr<base::Bytes> answer) mutable {
                              reply(std::move(answer));
                              loop_->Post([this, id] { calls_.erase(id); });
                            });
}

void Gateway::SubmitBatch(Pool* pool, const transport::CallInfo& info, base::Bytes request, Reply<task::v1::SubmitResponse> reply) {
  const auto route = Route(*pool, info);
  if (!route.ok()) return reply(route.status());
  if (route->empty()) {
    const auto decoded = transport::Decode<task::v1::SubmitRequest>(request);
    if (!decoded.ok()) return reply(decoded.status());
    return pool->service.Submit(*decoded, request.size(), std::move(reply));
  }
  Forward(*route, std::move(request), info, [reply = std::move(reply)](absl::StatusOr<base::Bytes> answer) mutable {
    if (!answer.ok()) return reply(answer.status());
    reply(transport::Decode<task::v1::SubmitResponse>(*answer));
  });
}

template <typename Request, typename Response, typename Call>
void Gateway::Unary(transport::Server* server, const char* method, Call call) {
  server->RegisterUnary(MethodName(method),
                        [this, call](base::Bytes bytes, const transport::CallInfo& info, transport::UnaryReply reply) {
                          const auto pool = PoolOf(info);
                          if (!pool.ok()) return reply(pool.status());
                          const auto route = Route(**pool, info);
                          if (!route.ok()) return reply(route.status());
                          if (!route->empty()) return Forward(*route, std::move(bytes), info, std::move(reply));
                          const auto request = transport::Decode<Request>(bytes);
                          if (!request.ok()) return reply(request.status());
                          call((*pool)->service, *request, bytes.size(),
                               Reply<Response>([reply = std::move(reply)](absl::StatusOr<Response> response) mutable {
                                 if (!response.ok()) return reply(response.status());
                                 reply(transport::Encode(*response));
                               }));
                        });
}

template <typename Make>
void Gateway::Streaming(transport::Server* server, const char* method, Make make) {
  server->RegisterServerStream(MethodName(method),
                               [this, make](base::Bytes bytes, std::unique_ptr<base::Connection> connection,
                                            const transport::CallInfo& info) -> base::ConnectionEvents* {
                                 const std::uint64_t id = ++last_;
                                 const auto pool = PoolOf(info);
                                 const auto route = pool.ok() ? Route(**pool, info) : pool.status();
                                 if (!route.ok()) {
                                   connection->Close(route.status());
                                   return nullptr;
                                 }
                                 if (route->empty()) return make(**pool, id, bytes, std::move(connection));
                                 transport::CallOptions options;
                                 options.timeout = info.time_left.value_or(base::Duration(0));
                                 options.metadata = HandedOn(info);
                                 auto& forward = forwards_[id].stream;
                                 forwards_[id].pool = *pool;
                                 forward = std::make_unique<ForwardStream>(
                                     loop_, *route,
                                     client_.CallForStream(*route, info.method, std::move(bytes), std::move(options)),
                                     std::move(connection), [this, id] { forwards_.erase(id); });
                                 return forward.get();
                               });
}

void Gateway::MastersChanged() {
  for (const auto& pool : pools_) {
    const std::vector<MasterInfo> masters = pool->parts.master->masters();
    if (masters.empty()) continue;  // unknown, not gone
    for (const auto& [id, handed] : forwards_) {
      if (handed.pool != pool.get() || handed.stream->address() == masters.front().address) continue;
      handed.stream->End(absl::UnavailableError("another master was elected; try again"));
    }
  }
}

void Gateway::Register(transport::Server* server) {
  using namespace task::v1;  // NOLINT: the messages of one service
  const auto without_size = [](auto method) {
    return [method](TaskService& service, const auto& request, std::size_t, auto reply) {
      (service.*method)(request, std::move(reply));
    };
  };
  Unary<GetTicketRequest, GetTicketResponse>(server, "GetTicket", without_size(&TaskService::GetTicket));
  Unary<SubmitRequest, SubmitResponse>(
      server, "Submit", [](TaskService& service, const SubmitRequest& request, std::size_t size, Reply<SubmitResponse> reply) {
        service.Submit(request, size, std::move(reply));
      });
  Unary<GetRequest, GetResponse>(server, "Get", without_size(&TaskService::Get));
  Unary<ExplainRequest, ExplainResponse>(server, "Explain", without_size(&TaskService::Explain));
  Unary<ListRequest, ListResponse>(server, "List", without_size(&TaskService::List));
  Unary<CancelRequest, CancelResponse>(server, "Cancel", without_size(&TaskService::Cancel));
  Unary<RetryRequest, RetryResponse>(server, "Retry", without_size(&TaskService::Retry));
  Unary<SetQueueRequest, SetQueueResponse>(server, "SetQueue", without_size(&TaskService::SetQueue));
  Unary<DeleteQueueRequest, DeleteQueueResponse>(server, "DeleteQueue", without_size(&TaskService::DeleteQueue));
  Unary<ListQueuesRequest, ListQueuesResponse>(server, "ListQueues", without_size(&TaskService::ListQueues));
  Unary<SetScheduleRequest, SetScheduleResponse>(server, "SetSchedule", without_size(&TaskService::SetSchedule));
  Unary<DeleteScheduleRequest, DeleteScheduleResponse>(server, "DeleteSchedule", without_size(&TaskService::DeleteSchedule));
  Unary<PauseScheduleRequest, PauseScheduleResponse>(server, "PauseSchedule", without_size(&TaskService::PauseSchedule));
  Unary<RunScheduleRequest, RunScheduleResponse>(server, "RunSchedule", without_size(&TaskService::RunSchedule));
  Unary<ListSchedulesRequest, ListSchedulesResponse>(server, "ListSchedules", without_size(&TaskService::ListSchedules));
  Unary<DrainWorkerRequest, DrainWorkerResponse>(server, "DrainWorker", without_size(&TaskService::DrainWorker));
  Unary<UndrainWorkerRequest, UndrainWorkerResponse>(server, "UndrainWorker", without_size(&TaskService::UndrainWorker));
  Unary<ListWorkersRequest, ListWorkersResponse>(server, "ListWorkers", without_size(&TaskService::ListWorkers));
  Unary<ListMastersRequest, ListMastersResponse>(server, "ListMasters", without_size(&TaskService::ListMasters));

  Streaming(server, "Watch",
            [this](const Pool& pool, std::uint64_t id, const base::Bytes& bytes,
                   std::unique_ptr<base::Connection> connection) -> base::ConnectionEvents* {
              const auto request = transport::Decode<WatchRequest>(bytes);
              if (!request.ok()) {
                connection->Close(request.status());
                return nullptr;
              }
              auto& watch = watches_[id];
              watch = std::make_unique<WatchStream>(loop_, pool.parts.master, *request, std::move(connection),
                                                    [this, id] { watches_.erase(id); });
              return watch.get();
            });
  Streaming(server, "ReadOutput",
            [this](const Pool& pool, std::uint64_t id, const base::Bytes& bytes,
                   std::unique_ptr<base::Connection> connection) -> base::ConnectionEvents* {
              auto request = transport::Decode<ReadOutputRequest>(bytes);
              if (const absl::Status status = request.ok() ? CheckReadOutput(*request) : request.status(); !status.ok()) {
                connection->Close(status);
                return nullptr;
              }
              auto& output = outputs_[id];
              output = std::make_unique<OutputStream>(loop_, pool.parts.master, pool.parts.store, *std::move(request),
                                                      std::move(connection), [this, id] { outputs_.erase(id); });
              return output.get();
            });
  server->RegisterClientStream(
      MethodName("SubmitMany"), [this](std::unique_ptr<transport::ClientStream> stream, const transport::CallInfo& info) {
        const std::uint64_t id = ++last_;
        const auto pool = PoolOf(info);
        if (!pool.ok()) return stream->Reply(pool.status());
        transport::CallInfo of_batch = info;
        of_batch.method = MethodName("Submit");
        const auto submit = [this, pool = *pool, of_batch](base::Bytes request, Reply<SubmitResponse> reply) {
          SubmitBatch(pool, of_batch, std::move(request), std::move(reply));
        };
        bulks_[id] = std::make_unique<BulkSubmission>(loop_, submit, std::move(stream), [this, id] { bulks_.erase(id); });
      });
  server->RegisterClientStream(MethodName("Upload"),
                               [this](std::unique_ptr<transport::ClientStream> stream, const transport::CallInfo& info) {
                                 const std::uint64_t id = ++last_;
                                 const auto pool = PoolOf(info);
                                 if (!pool.ok()) return stream->Reply(pool.status());
                                 uploads_[id] = std::make_unique<Upload>(loop_, (*pool)->parts.store, &budget_, random_->Next(),
                                                                         std::move(stream), [this, id] { uploads_.erase(id); });
                               });
}

}  // namespace drover::master::server
