#include "client/store/object_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "client/store/posix.h"

namespace drover::store {
namespace {

constexpr absl::string_view kMagic = "DRVOBJ1\n";
constexpr std::size_t kDigestBytes = sizeof(Digest);
static_assert(kFooterBytes == 8 + 8 + 2 * kDigestBytes);

std::uint64_t BlocksOf(std::uint64_t data_bytes) {
  return (data_bytes + kBlockBytes - 1) / kBlockBytes;
}

std::string BigEndian(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8) bytes[static_cast<std::size_t>(i)] = static_cast<char>(value & 0xff);
  return bytes;
}

std::uint64_t FromBigEndian(absl::string_view bytes) {
  std::uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

absl::Status Damaged(absl::string_view key, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("object ", key, " is damaged: ", what));
}

}  // namespace

std::string ObjectTrailer(absl::string_view key, absl::string_view data, const Digest& digest) {
  std::string trailer;
  trailer.reserve(BlocksOf(data.size()) * kDigestBytes + kFooterBytes);
  for (std::size_t at = 0; at < data.size(); at += kBlockBytes) trailer += DigestBytes(DigestOf(data.substr(at, kBlockBytes)));
  absl::StrAppend(&trailer, kMagic, BigEndian(data.size()), DigestBytes(digest));
  trailer += DigestBytes(DigestOf(absl::StrCat(key, trailer)));
  return trailer;
}

std::uint64_t DataBytesOf(std::uint64_t file_bytes) {
  if (file_bytes <= kFooterBytes) return 0;
  const std::uint64_t rest = file_bytes - kFooterBytes;
  const std::uint64_t blocks = (rest + kBlockBytes + kDigestBytes - 1) / (kBlockBytes + kDigestBytes);
  return rest > blocks * kDigestBytes ? rest - blocks * kDigestBytes : 0;
}

absl::StatusOr<GetResult> ReadObjectFile(const std::string& path, absl::string_view key, Range range) {
  auto fd = OpenFile(path, O_RDONLY);
  if (!fd.ok()) {
    if (absl::IsNotFound(fd.status())) return absl::NotFoundError(absl::StrCat("no object ", key));
    return fd.status();
  }
  struct stat st;
  if (fstat(fd->get(), &st) != 0) return ErrnoStatus(errno, "stat", path);
  const auto file_bytes = static_cast<std::uint64_t>(st.st_size);
  const std::uint64_t size = DataBytesOf(file_bytes);
  const std::uint64_t blocks = BlocksOf(size);
  if (file_bytes != size + blocks * kDigestBytes + kFooterBytes) return Damaged(key, "its file has an impossible size");

  auto trailer = ReadExactly(fd->get(), size, static_cast<std::size_t>(file_bytes - size), path);
  if (!trailer.ok()) return trailer.status();
  const absl::string_view whole(*trailer);
  const absl::string_view check = whole.substr(whole.size() - kDigestBytes);
  const absl::string_view footer = whole.substr(whole.size() - kFooterBytes);
  if (DigestBytes(DigestOf(absl::StrCat(key, whole.substr(0, whole.size() - kDigestBytes)))) != check ||
      footer.substr(0, kMagic.size()) != kMagic || FromBigEndian(footer.substr(kMagic.size(), 8)) != size) {
    return Damaged(key, "its footer is not what was written");
  }

  GetResult result;
  result.object_size = size;
  const std::uint64_t begin = std::min(range.offset, size);
  const std::uint64_t end = begin + std::min(range.length, size - begin);
  if (begin == end) return result;
  const std::uint64_t first_block = begin / kBlockBytes;
  const std::uint64_t read_begin = first_block * kBlockBytes;
  const std::uint64_t read_end = std::min(size, BlocksOf(end) * kBlockBytes);
  auto data = ReadExactly(fd->get(), read_begin, static_cast<std::size_t>(read_end - read_begin), path);
  if (!data.ok()) return data.status();
  const absl::string_view bytes(*data);
  for (std::size_t at = 0, block = static_cast<std::size_t>(first_block); at < bytes.size(); at += kBlockBytes, ++block) {
    if (DigestBytes(DigestOf(bytes.substr(at, kBlockBytes))) != whole.substr(block * kDigestBytes, kDigestBytes)) {
      return Damaged(key, absl::StrCat("digest mismatch in bytes ", block * kBlockBytes, " and following"));
    }
  }
  const base::Bytes shared = base::Bytes::Adopt(*std::move(data));
  result.data =
      shared.Share(shared.view().substr(static_cast<std::size_t>(begin - read_begin), static_cast<std::size_t>(end - begin)));
  return result;
}

}  // namespace drover::store
