// A submission as it goes into the record: normalised, checked, and digested so that the same one is recognised.
#ifndef DROVER_MASTER_RECORDS_SPEC_H_
#define DROVER_MASTER_RECORDS_SPEC_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "drover/task/v1/task.pb.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::records {

// Same bytes for the same message everywhere: maps are written in the order of their keys.
[[nodiscard]] std::string EncodeProgram(const task::v1::Program& program);
[[nodiscard]] std::string EncodePolicy(const task::v1::Policy& policy);

// XXH3-128, 16 bytes, big-endian: the digest of objects, too.
[[nodiscard]] std::string Digest(absl::string_view bytes);

// What an empty field stands for is written out (queue "default").
void Normalise(task::v1::Policy* policy);

// A task with a handler runs where that is. (Before Normalise.)
void RequireHandler(const std::string& handler, task::v1::Policy* policy);

// INVALID_ARGUMENT with a sentence that names the rule, or RESOURCE_EXHAUSTED naming the limit. The policy is normalised.
[[nodiscard]] absl::Status CheckPolicy(const task::v1::Policy& policy);
[[nodiscard]] absl::Status CheckProgram(const task::v1::Program& program);
[[nodiscard]] absl::Status CheckObjectRef(const task::v1::ObjectRef& object);

// How large an encoded program may be to travel inside a record with this policy.
[[nodiscard]] std::size_t InlineProgramBytesMax(const task::v1::Policy& policy);

// Of the normalised policy and the encoded program. The same whether the program is inside the record or in the store, because the
// digest of the object stands for its bytes.
[[nodiscard]] std::string SpecDigest(const task::v1::Policy& policy, absl::string_view encoded_program);
[[nodiscard]] std::string SpecDigest(const task::v1::Policy& policy, const task::v1::ObjectRef& program_object);

// Why `submitted` is not the task `known` under the same id, for people: "its program and its priority differ". Both policies are
// normalised. Empty: it is the same.
[[nodiscard]] std::string DifferenceOf(const worker::v1::TaskRecord& known, const worker::v1::TaskRecord& submitted);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_SPEC_H_
