package bench

import "slices"

// median is the middle of the values, or of the two in the middle the mean.
func median[T any](of []T, value func(T) float64) float64 {
	values := make([]float64, len(of))
	for i, v := range of {
		values[i] = value(v)
	}
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
