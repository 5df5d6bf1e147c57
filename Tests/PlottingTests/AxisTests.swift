import Plotting
import Testing

@Suite("Axes")
struct AxisTests {
  private func labels(_ range: ClosedRange<Double>, _ count: Int = 6) -> [String] {
    AxisTick.linear(over: range, about: count).map(\.label)
  }

  @Test("Ticks are multiples of 1, 2 or 5 times a power of ten, with the digits they need")
  func linear() {
    #expect(labels(0...10) == ["0", "2", "4", "6", "8", "10"])
    #expect(labels(0...1) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(-0.3...0.3) == ["−0.3", "−0.2", "−0.1", "0", "0.1", "0.2", "0.3"])
    #expect(labels(13...487) == ["100", "200", "300", "400"])
    #expect(labels(0.0021...0.0034, 3) == ["0.0025", "0.0030"])
    #expect(labels(0...3e7, 3) == ["0", "1e+07", "2e+07", "3e+07"])
  }

  @Test("Ticks are the nearest numbers to what they say")
  func exact() {
    for (exponent, tenth) in [(-3, 1e-3), (-1, 0.1), (0, 1.0), (4, 1e4)] {
      for tick in AxisTick.linear(over: 0...9 * tenth, about: 10) {
        let text = tick.label.replacing("−", with: "-")
        #expect(Double(text) == tick.value, "10^\(exponent): \(tick.label)")
      }
    }
  }

  @Test("There are never many more ticks than asked for, and always two where six are asked for")
  func number() {
    for k in 1...400 {
      let low = Double(k % 7 - 3) * 0.37
      let span = 0.0013 * Double(k * k)
      let ticks = AxisTick.linear(over: low...low + span)
      #expect((2...7).contains(ticks.count), "\(low), \(span): \(ticks.count)")
      for tick in ticks {
        #expect(tick.value > low - 1e-8 * span && tick.value < low + span * (1 + 1e-8))
      }
    }
  }

  @Test("Logarithmic ticks are powers of ten, or 1, 2 and 5 times those in a short range")
  func logarithmic() {
    #expect(
      AxisTick.logarithmic(over: 0.5...2000).map(\.label) == ["1", "10", "100", "1000"])
    #expect(AxisTick.logarithmic(over: 3...60).map(\.label) == ["5", "10", "20", "50"])
    #expect(AxisTick.logarithmic(over: 0.1...10).map(\.label) == ["0.1", "1", "10"])
    #expect(AxisTick.logarithmic(over: 31...39).map(\.value) == [32, 34, 36, 38])
  }

  @Test("An axis made from values holds them and ends at ticks; without values it is 0 to 1")
  func covering() {
    let axis = PlotAxis("x", covering: [-3.2, 17.9, .nan, 4])
    #expect(axis.range == -5...20)
    #expect(axis.ticks.map(\.value) == [-5, 0, 5, 10, 15, 20])
    #expect(PlotAxis("x", covering: []).range == 0...1)
    let one = PlotAxis("x", covering: [7, 7])
    #expect(one.range.contains(7) && one.range.lowerBound < 7 && one.range.upperBound > 7)
    // Values at ticks need no more room.
    #expect(PlotAxis("x", covering: [0, 0.6]).range == 0...0.6)
  }

  @Test("Places along an axis are fractions of it, of ratios where it is logarithmic")
  func fractions() {
    let linear = PlotAxis("x", range: -1...3)
    #expect(linear.fraction(of: 0) == 0.25 && linear.fraction(of: 5) == 1.5)
    let ratios = PlotAxis("x", range: 1...16, scale: .logarithmic)
    #expect(abs(ratios.fraction(of: 4) - 0.5) < 1e-15)
    #expect(ratios.fraction(of: 0).isNaN && ratios.fraction(of: -1).isNaN)
  }
}
