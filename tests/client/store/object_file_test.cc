#include "client/store/object_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "coord/base/random.h"
#include "tests/client/store/temp_directory.h"

namespace drover::store {
namespace {

std::string Random(std::size_t size) {
  base::SeededRandom random(size + 1);
  std::string data(size, '\0');
  for (char& c : data) c = static_cast<char>(random.Next());
  return data;
}

class ObjectFileTest : public ::testing::Test {
 protected:
  void Write(const std::string& bytes) { std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes; }
  static std::string Whole(const std::string& data) { return data + ObjectTrailer("k", data, DigestOf(data)); }
  absl::StatusOr<std::string> Read(Range range = {}) {
    auto got = ReadObjectFile(path_, "k", range);
    if (!got.ok()) return got.status();
    return got->data.ToString();
  }

  TempDirectory directory_;
  const std::string path_ = directory_.path() + "/k@";
};

TEST_F(ObjectFileTest, AnySizeComesBackWhole) {
  for (std::size_t size : {0ul, 1ul, 47ul, 65535ul, 65536ul, 65537ul, 200000ul}) {
    const std::string data = Random(size);
    const std::string file = Whole(data);
    Write(file);
    EXPECT_EQ(DataBytesOf(file.size()), size);
    auto got = Read();
    ASSERT_TRUE(got.ok()) << size << " " << got.status();
    EXPECT_EQ(*got, data) << size;
  }
}

TEST_F(ObjectFileTest, RangesAreCutAtTheEnd) {
  const std::string data = Random(200000);
  Write(Whole(data));
  base::SeededRandom random(7);
  for (int i = 0; i < 200; ++i) {
    const Range range{random.Below(220000), random.Below(150000)};
    const std::string expected = range.offset >= data.size() ? "" : data.substr(range.offset, range.length);
    auto got = Read(range);
    ASSERT_TRUE(got.ok()) << got.status();
    ASSERT_EQ(*got, expected) << range.offset << "+" << range.length;
  }
  EXPECT_EQ(*Read({199999, std::numeric_limits<std::uint64_t>::max()}), data.substr(199999));
  EXPECT_EQ(*Read({std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()}), "");
}

TEST_F(ObjectFileTest, EveryChangedByteIsFound) {
  const std::string file = Whole(Random(100));
  for (std::size_t at = 0; at < file.size(); ++at) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    Write(damaged);
    EXPECT_TRUE(absl::IsDataLoss(Read().status())) << at;
  }
}

TEST_F(ObjectFileTest, EveryCutIsFound) {
  const std::string file = Whole(Random(100));
  for (std::size_t size = 0; size < file.size(); ++size) {
    Write(file.substr(0, size));
    EXPECT_TRUE(absl::IsDataLoss(Read().status())) << size;
  }
}

TEST_F(ObjectFileTest, DamageInOneBlockLeavesTheOthersReadable) {
  std::string file = Whole(Random(3 * kBlockBytes));
  file[kBlockBytes + 5] = static_cast<char>(file[kBlockBytes + 5] ^ 1);
  Write(file);
  EXPECT_TRUE(Read({0, kBlockBytes}).ok());
  EXPECT_TRUE(absl::IsDataLoss(Read({kBlockBytes - 1, 2}).status()));
  EXPECT_TRUE(Read({2 * kBlockBytes, kBlockBytes}).ok());
}

TEST_F(ObjectFileTest, AFileUnderAnotherNameIsDamage) {
  const std::string data = "data";
  Write(data + ObjectTrailer("other", data, DigestOf(data)));
  EXPECT_TRUE(absl::IsDataLoss(Read().status()));
}

}  // namespace
}  // namespace drover::store
