// The form of one object in a file, so that damage is found on every read, of a range too:
//
//     data                      as it was put: a person can read it with ordinary tools
//     block digests             16 bytes for each 64 KiB of data (the last may be shorter): XXH3-128, big-endian
//     footer, 48 bytes          "DRVOBJ1\n", size of data (8 bytes, big-endian), digest of data (16),
//                               check (16): XXH3-128 over key, block digests and the footer before it
//
// The key is part of the check, so a file that was moved to another name is damage, too.
#ifndef DROVER_CLIENT_STORE_OBJECT_FILE_H_
#define DROVER_CLIENT_STORE_OBJECT_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/store/object_store.h"

namespace drover::store {

inline constexpr std::uint64_t kBlockBytes = 64 << 10;
inline constexpr std::size_t kFooterBytes = 48;

// What follows the data: block digests and footer.
std::string ObjectTrailer(absl::string_view key, absl::string_view data, const Digest& digest);

// Bytes of data in a whole object's file of this size; 0 for a size no object file has.
std::uint64_t DataBytesOf(std::uint64_t file_bytes);

// Reads and checks a range. DATA_LOSS where anything is not as it was written.
absl::StatusOr<GetResult> ReadObjectFile(const std::string& path, absl::string_view key, Range range);

}  // namespace drover::store

#endif  // DROVER_CLIENT_STORE_OBJECT_FILE_H_
