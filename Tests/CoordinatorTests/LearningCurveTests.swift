import Coordinator
import Testing

@Suite("Parts of a training set")
struct LearningCurveTests {
  @Test("Parts are halves of each other, rounded up, different, and end with the whole")
  func sizes() {
    #expect(PoolWork.learningCurveSizes(of: 160, points: 5) == [10, 20, 40, 80, 160])
    #expect(PoolWork.learningCurveSizes(of: 13, points: 5) == [1, 2, 4, 7, 13])
    #expect(PoolWork.learningCurveSizes(of: 3, points: 5) == [1, 2, 3])
    #expect(PoolWork.learningCurveSizes(of: 1, points: 20) == [1])
  }
}
